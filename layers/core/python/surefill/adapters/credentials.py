"""Keys of live accounts, and where they come from."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """An API key and its secret. Its text form shows neither."""

    api_key: str = field(repr=False)
    secret: str = field(repr=False)


class Secrets(Protocol):
    """Where the keys of live accounts are kept."""

    def credentials(self, secret_name: str) -> Credentials:
        """The key of an account. Raises VenueError: CREDENTIALS_REJECTED without one, VENUE_DOWN when not known."""
        ...
