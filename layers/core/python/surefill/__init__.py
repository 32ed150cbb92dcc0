"""Surefill: a signal becomes exactly one order, an order exactly one recorded position."""
