"""Typed settings of a function, read once from its environment. A missing one is named, not guessed."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass


class SettingsError(RuntimeError):
    """The environment of the function is incomplete or wrong: a deployment defect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueHosts:
    """Where a venue is on this stage: its endpoint (None: the venue's own) and the hosts requests may go to."""

    endpoint: str | None
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What every function knows of its stage."""

    stage: str
    table_prefix: str
    venues: Mapping[str, VenueHosts]
    clock_url: str | None

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read STAGE, TABLE_PREFIX, VENUES (JSON) and, on the local stage only, CLOCK_URL."""
        return cls(
            stage=required("STAGE"),
            table_prefix=required("TABLE_PREFIX"),
            venues=_venues(required("VENUES")),
            clock_url=os.environ.get("CLOCK_URL") or None,
        )


def required(name: str) -> str:
    """The value of an environment variable; SettingsError names it when it is missing."""
    value = os.environ.get(name)
    if not value:
        raise SettingsError(f"environment variable {name} must be set")
    return value


def _venues(text: str) -> dict[str, VenueHosts]:
    try:
        return {
            name: VenueHosts(endpoint=entry.get("endpoint"), hosts=tuple(entry["hosts"]))
            for name, entry in json.loads(text).items()
        }
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise SettingsError(f'VENUES must be {{"binance": {{"endpoint": …, "hosts": […]}}}}, was {text!r}') from error
