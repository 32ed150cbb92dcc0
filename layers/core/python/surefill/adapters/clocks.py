"""Clocks: the wall clock in AWS; on the local stage the simulated exchange's, so that time can run fast or stand."""

import json
import urllib.request
from datetime import UTC, datetime, timedelta
from time import monotonic

from surefill.domain.times import from_milliseconds


class WallClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Current time, UTC."""
        return datetime.now(UTC)

    def refresh(self) -> None:
        """Nothing to do: it is always read."""


class RemoteClock:
    """A clock read over HTTP once per invocation and carried on with the local monotonic clock at its rate."""

    def __init__(self, url: str) -> None:
        if not url.startswith("http://127.0.0.1:"):
            raise ValueError(f"a remote clock is for the local stage only (http://127.0.0.1:…), was {url!r}")
        self._url = url
        self.refresh()

    def refresh(self) -> None:
        """Read the clock anew; called at the start of every invocation."""
        with urllib.request.urlopen(self._url, timeout=2) as answer:  # noqa: S310 - checked to be http on loopback
            body = json.load(answer)
        self._read_at = monotonic()
        self._base = from_milliseconds(int(body["now_ms"]))
        self._rate = float(body["rate"])

    def now(self) -> datetime:
        """Current time of the local stage, UTC."""
        return self._base + timedelta(seconds=(monotonic() - self._read_at) * self._rate)
