"""Which kill switches stand, and what they cover. Read strongly consistent: a stop that is written is seen."""

from collections.abc import Iterator

from surefill.domain.kinds import Scope, StopKind
from surefill.domain.records import Stop
from surefill.domain.rows import Bot
from surefill.listings import STOPS_OF_SCOPE
from surefill.ports import Store
from surefill.usecases.control.errors import ConflictError

# Stops that were lifted are history; the newest of each scope are looked at.
_NEWEST = 100


def standing_stops(store: Store) -> Iterator[Stop]:
    """Every stop that has not been lifted, acknowledged or not."""
    for scope in Scope:
        page = store.page(STOPS_OF_SCOPE, scope, limit=_NEWEST)
        yield from (stop for stop in page.rows if stop.lifted_at is None)


def covers_account(stop: Stop, account_id: str) -> bool:
    """Whether the stop keeps this account's budgets from entering."""
    return stop.scope is Scope.ALL or (stop.scope is Scope.ACCOUNT and stop.target == account_id)


def covers_bot(stop: Stop, bot: Bot) -> bool:
    """Whether the stop keeps this bot from trading."""
    return covers_account(stop, bot.account_id) or (stop.scope is Scope.BOT and stop.target == bot.bot_id)


def holds_state(stop: Stop, bot: Bot) -> bool:
    """Whether the stop keeps the bot in the state it was put in."""
    return covers_bot(stop, bot) and (stop.kind is StopKind.FREEZE or stop.scope is Scope.BOT)


def refuse_while_stopped(stops: Iterator[Stop], *, bot: Bot | None = None, account_id: str | None = None) -> None:
    """ConflictError naming the stop that has to be lifted first."""
    for stop in stops:
        covered = (bot is not None and covers_bot(stop, bot)) or (
            account_id is not None and covers_account(stop, account_id)
        )
        if covered:
            raise ConflictError(
                "stop", f"{stop.kind} by {stop.who} stands ({stop.why or 'no reason given'}): lift {stop.stop_id} first"
            )
