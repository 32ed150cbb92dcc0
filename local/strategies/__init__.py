"""Strategies on your own machine: list them, look at them, begin one, and check one before it trades."""
