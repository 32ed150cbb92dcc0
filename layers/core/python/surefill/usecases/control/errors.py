"""Refusals of an operator's request: which field, what was wrong, what was expected."""


class RequestRefusedError(Exception):
    """The request can't be done as asked. `field` names the part of it that must change."""

    status = 422

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


class NotFoundError(RequestRefusedError):
    """What the request is about does not exist."""

    status = 404


class ConflictError(RequestRefusedError):
    """The request contradicts what is there now."""

    status = 409


class TooManyError(RequestRefusedError):
    """It was asked too often."""

    status = 429


class UnknownTokenError(RequestRefusedError):
    """The caller did not show what proves that it may ask."""

    status = 401
