"""The money protocol: every change of money or position as one named, guarded transaction, built as plain data."""
