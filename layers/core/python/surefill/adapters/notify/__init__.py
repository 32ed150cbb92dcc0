"""Destinations that people read: webhook and Telegram."""
