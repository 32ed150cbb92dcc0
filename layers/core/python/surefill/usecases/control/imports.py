"""Ask for the past trades of an account: `sync_account` reads them from the venue."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from surefill.domain.identity import market_key
from surefill.domain.kinds import Mode
from surefill.domain.records import MarketRules
from surefill.domain.rows import Account
from surefill.domain.times import format_time, parse_time
from surefill.events import ImportRequest
from surefill.ports import Functions, Store
from surefill.usecases.control.errors import ConflictError, RequestRefusedError

_MOST = 20
# Ten years: further back no import comes to an end.
_LONGEST = timedelta(days=3_653)


def request_import(
    account: Account, *, symbols: Sequence[str], since: str, store: Store, functions: Functions, now: datetime
) -> ImportRequest:
    """Start reading the trades of these symbols since an ISO 8601 time; read to the end at later ticks if need be."""
    if account.mode is Mode.PAPER:
        message = f"{account.account_id} is a paper account: all its trades are its bots' own fills"
        raise ConflictError("account_id", message)
    wanted = tuple(dict.fromkeys(symbols))
    if not 1 <= len(wanted) <= _MOST:
        raise RequestRefusedError("symbols", f"symbols must name 1 to {_MOST} markets, were {len(wanted)}")
    keys = {market_key(venue=account.venue, symbol=symbol): symbol for symbol in wanted}
    known = {rules.market_key for rules in store.get_many(MarketRules, [(key,) for key in keys])}
    for key, symbol in keys.items():
        if key not in known:
            raise RequestRefusedError("symbols", f"symbols must be markets of {account.venue}, was {symbol!r}")
    request = ImportRequest(account_id=account.account_id, symbols=wanted, since=_moment(since, now=now))
    functions.wake("sync_account", request.as_event())
    return request


def _moment(text: str, *, now: datetime) -> datetime:
    try:
        moment = parse_time(text)
    except (ValueError, OverflowError):
        message = f"since must be a time with a zone such as 2026-01-31T00:00:00Z, was {text!r}"
        raise RequestRefusedError("since", message) from None
    if not now - _LONGEST <= moment <= now:
        earliest = format_time(now - _LONGEST)
        raise RequestRefusedError("since", f"since must be between {earliest} and now, was {text!r}")
    return moment
