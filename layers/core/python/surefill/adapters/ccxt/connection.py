"""A ccxt exchange that can reach one venue only, retries nothing, downloads no markets and logs nothing.

`Connection.look` and `Connection.posting` are the only ways to use it, so that every request is inside the gate of
`transport` and every post is counted.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

import ccxt
import requests
from requests.adapters import BaseAdapter

from surefill.adapters.ccxt.failures import look_failure
from surefill.adapters.ccxt.profile import VenueProfile
from surefill.adapters.ccxt.redaction import Redactor
from surefill.adapters.ccxt.transport import GuardedAdapter, WireLog
from surefill.adapters.credentials import Credentials
from surefill.domain.times import to_milliseconds
from surefill.ports import Clock
from surefill.settings import VenueHosts

TIMEOUT_MS = 5_000
_Read = TypeVar("_Read")

# ccxt's debug records hold keys and bodies, urllib3's hold signed addresses: both stay silent whatever the root says.
_SILENT = logging.getLogger("surefill.ccxt")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False
_SILENT.setLevel(logging.CRITICAL)
logging.getLogger("urllib3").setLevel(logging.INFO)


class Connection:
    """One ccxt exchange behind the gate. `credentials` None: public data only."""

    def __init__(
        self,
        *,
        profile: VenueProfile,
        address: VenueHosts,
        clock: Clock,
        credentials: Credentials | None = None,
        inner: BaseAdapter | None = None,
    ) -> None:
        self.profile = profile
        self.clock = clock
        self.redactor = Redactor((credentials.api_key, credentials.secret) if credentials else ())
        self.transport = GuardedAdapter(
            hosts=frozenset(address.hosts),
            plain_origin=address.endpoint,
            inner=inner,
            now=lambda: clock.now().timestamp(),
        )
        self._signing = threading.local()
        self._markets: dict[str, dict[str, Any]] = {}
        self._exchange = self._build(origin=address.endpoint or profile.origin, credentials=credentials)

    def look(self, ask: Callable[[Any], object], read: Callable[[object], _Read]) -> _Read:
        """Send one look and read its answer. Raises VenueError when nothing can be concluded; never posts."""
        failure: BaseException | None = None
        with self.transport.call() as log:
            try:
                return read(ask(self._exchange))
            except Exception as error:
                failure = error
        # Raised out here, so that the original, whose text may hold a signed address, is not attached to it.
        raise look_failure(failure, log=log, profile=self.profile, redactor=self.redactor, now=self.clock.now())

    @contextmanager
    def posting(self, *, signed_at: datetime) -> Iterator[tuple[Any, WireLog]]:
        """The exchange, allowed to post once, signing with `signed_at`; and the record of what it did."""
        self._signing.at = to_milliseconds(signed_at)
        try:
            with self.transport.call(posts=1) as log:
                yield self._exchange, log
        finally:
            self._signing.at = None

    def know(self, symbol: str) -> None:
        """Tell ccxt the little it needs of a market: its name there, and a step fine enough never to round.

        All kinds are given: ccxt's parsers look some of them up in this very dict and raise KeyError without.
        """
        if symbol in self._markets:
            return
        base, _, quote = symbol.partition("/")
        step = 10.0**-self.profile.decimals
        self._markets[symbol] = {
            "id": self.profile.dialect.market_id(symbol),
            "symbol": symbol,
            "base": base,
            "quote": quote,
            "type": "spot",
            "spot": True,
            **dict.fromkeys(("margin", "swap", "future", "option", "contract", "linear", "inverse"), False),
            "precision": {"amount": step, "price": step},
            "info": self.profile.market_info,
        }
        self._exchange.set_markets(list(self._markets.values()))

    def _build(self, *, origin: str, credentials: Credentials | None) -> Any:
        session = requests.Session()
        # No proxies, certificates or passwords from the environment; no redirect may carry a signed request away.
        session.trust_env = False
        session.max_redirects = 0
        session.mount("https://", self.transport)
        session.mount("http://", self.transport)
        exchange = getattr(ccxt, self.profile.ccxt_class)(
            {
                "apiKey": credentials.api_key if credentials else "",
                "secret": credentials.secret if credentials else "",
                "session": session,
                "enableRateLimit": False,
                "timeout": TIMEOUT_MS,
                "options": {**self.profile.options, "maxRetriesOnFailure": 0},
            }
        )
        # Interfaces that are not listed have no address any more: a margin or futures call fails inside ccxt.
        exchange.urls = {**exchange.urls, "api": {name: origin + path for name, path in self.profile.api.items()}}
        exchange.logger = _SILENT
        exchange.nonce = self._time_stamp
        exchange.set_markets([])
        return exchange

    def _time_stamp(self) -> int:
        frozen: int | None = getattr(self._signing, "at", None)
        return to_milliseconds(self.clock.now()) if frozen is None else frozen
