"""What can keep the local stage from running, said in one sentence."""


class LocalError(Exception):
    """Something outside the program's control is in the way. The text says what was wrong and what to do about it."""
