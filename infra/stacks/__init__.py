"""Stacks compose constructs; they decide nothing themselves."""
