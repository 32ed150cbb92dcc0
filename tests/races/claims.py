"""Races for money and for places."""

from collections.abc import Callable
from decimal import Decimal
from typing import ClassVar

from surefill.domain.rows import Intent
from surefill.ports import Store
from surefill.usecases.claim import claim
from tests.contract.world import World, at
from tests.fakes.ports import ListObserver
from tests.races.workload import Figures, Plan, Seen, Turn, Workload, count_claims, missed

PRICE = Decimal(100)
LIMIT = 7
DAY_LIMIT = 20


def claims(turn: Turn, intent: Intent) -> Callable[[], None]:
    """Claim an intent as the function does, again while the store does not answer."""

    def once() -> None:
        told = claim(intent, store=turn.store, observer=ListObserver())
        if told.claimed:
            turn.answer.claimed.append(intent.intent_id)
        elif told.refusal is not None:
            turn.answer.refused[told.refusal.reason] += 1

    return lambda: _insist(turn, once)


def _insist(turn: Turn, action: Callable[[], None]) -> None:
    if not turn.insist(action):
        turn.answer.error = "the store never answered"


def entry_of(world: World, client: int, **changes: object) -> Intent:
    """A buy of one piece at 100, each client at a minute of its own, so that all have different names."""
    return world.entry(
        tick=at(60 * client),
        **{"reserved": str(PRICE), "quantity": Decimal(1), "limit_price": PRICE, **changes},
    )


class OneSlot(Workload):
    """All want the same slot, each with an order of its own: one gets it."""

    name = "one slot"
    dropped = frozenset({"slot_empty"})
    shows = "double_claims"

    def prepare(self, store: Store, plan: Plan) -> None:
        """Money for everybody."""
        plan.world.settle_in(store, available=Decimal(100_000), funded=Decimal(100_000))

    def ready(self, turn: Turn) -> Callable[[], None]:
        """An intent of the client's own."""
        return claims(turn, entry_of(turn.world, turn.client))

    def judge(self, seen: Seen, figures: Figures) -> None:
        """One claim, and money for one."""
        count_claims(seen, figures, most=1)
        count = len(seen.claimed())
        missed(
            seen,
            figures,
            (
                ("reserved", seen.budget.reserved, PRICE * count),
                ("open positions", seen.budget.open_positions, count),
                ("trades of the day", seen.budget.trades_today, count),
                ("ledger entries", seen.booked("claim"), count),
            ),
        )


class OneBudget(Workload):
    """Each wants a slot of its own from a budget that has room for seven: by money, by positions, by trades."""

    name = "one budget"
    dropped = frozenset({"available_covers", "open_positions_below_limit", "trades_below_limit"})
    shows = "over_reservations"
    limits: ClassVar[tuple[str, ...]] = ("money", "max_open_positions", "max_trades_per_day")

    def prepare(self, store: Store, plan: Plan) -> None:
        """Room for seven."""
        limit = self.limits[plan.number % 3]
        funded = PRICE * LIMIT if limit == "money" else Decimal(100_000)
        more = {} if limit == "money" else {limit: LIMIT}
        plan.world.settle_in(store, available=funded, funded=funded, **more)

    def ready(self, turn: Turn) -> Callable[[], None]:
        """A symbol of the client's own."""
        return claims(turn, entry_of(turn.world, turn.client, symbol=f"S{turn.client}/USDT"))

    def judge(self, seen: Seen, figures: Figures) -> None:
        """Exactly seven, and the sums are those of seven."""
        _judge_limit(seen, figures, limit=min(LIMIT, len(seen.answers)))


class NewDay(Workload):
    """The first claims of a day, against a limit of trades: the day's counters start anew once, and count everybody."""

    name = "first claims of a day"
    dropped = frozenset({"trades_below_limit", "day_unchanged", "same_day"})
    shows = "over_reservations"

    def prepare(self, store: Store, plan: Plan) -> None:
        """A budget whose counters are of yesterday and full."""
        money = Decimal(100_000)
        plan.world.settle_in(
            store,
            available=money,
            funded=money,
            day="2026-11-19",
            trades_today=DAY_LIMIT,
            max_trades_per_day=DAY_LIMIT,
        )

    def ready(self, turn: Turn) -> Callable[[], None]:
        """A symbol of the client's own."""
        return claims(turn, entry_of(turn.world, turn.client, symbol=f"S{turn.client}/USDT"))

    def judge(self, seen: Seen, figures: Figures) -> None:
        """As many as the day may have."""
        _judge_limit(seen, figures, limit=min(DAY_LIMIT, len(seen.answers)))


def _judge_limit(seen: Seen, figures: Figures, *, limit: int) -> None:
    count = len(seen.claimed())
    if count > limit:
        figures.over_reservations += count - limit
        figures.wrong(f"{seen.plan.name}: {count} of {limit} places were given away")
    if count < limit:
        refused = [dict(answer.refused) for answer in seen.answers if answer.refused]
        figures.wrong(f"{seen.plan.name}: only {count} of {limit} places were given away; refused: {refused[:3]}")
    budget = seen.budget
    if budget.available < 0:
        figures.over_reservations += 1
        figures.wrong(f"{seen.plan.name}: available is {budget.available}")
    missed(
        seen,
        figures,
        (
            ("reserved", budget.reserved, PRICE * count),
            ("open positions", budget.open_positions, count),
            ("trades of the day", budget.trades_today, count),
            ("ledger entries", seen.booked("claim"), count),
            ("orders", len(seen.intents), count),
        ),
    )
