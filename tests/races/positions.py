"""Races at open positions: one more tranche or a sale, and losses that end a day together."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from surefill.domain.identity import tranche_intent_id
from surefill.domain.kinds import Leg
from surefill.domain.reasons import Reason
from surefill.domain.rows import Intent, Slot
from surefill.domain.states import IntentState
from surefill.ports import Store
from surefill.protocol.exit import claim_exit
from surefill.protocol.order import send_gate
from surefill.usecases.claim import claim
from surefill.usecases.exits import exit_intent
from tests.contract.world import at
from tests.fakes.ports import ListObserver
from tests.fakes.rows import rules
from tests.races.claims import PRICE, entry_of
from tests.races.orders import RaceVenue, count_posts, open_position, place, post_of, settle, slot_of
from tests.races.workload import Figures, Plan, Seen, Turn, Workload, missed

_SECOND = timedelta(seconds=1)
_DAY = 86_400
# One piece, bought at 100 and sold at 90 with 0.1 % of fees.
_BID, _LOSS = Decimal(90), Decimal("10.09")


class OneTranche(Workload):
    """Most want one more tranche, each at a tick of its own; the others want the position sold: one gets its way."""

    name = "one tranche"
    settles = True
    dropped = frozenset({"slot_open", "same_position", "same_tranche", "same_attempt", "quantity_covers"})
    shows = "double_claims"

    def prepare(self, store: Store, plan: Plan) -> None:
        """A position, and money for everybody."""
        plan.world.settle_in(store, available=Decimal(100_000), funded=Decimal(100_000))
        open_position(store, plan.world)

    def ready(self, turn: Turn) -> Callable[[], None]:
        """The order as this client would plan it; in the control no two sales have the same name."""
        slot = slot_of(turn.store, turn.world)
        intent = _sale(slot, turn) if turn.client % 4 == 3 else _tranche(slot, turn)
        venue = RaceVenue(bid=PRICE, ask=PRICE, quoted_at=intent.created_at)

        def act() -> None:
            def once() -> None:
                if claim(intent, store=turn.store, observer=ListObserver()).claimed:
                    turn.answer.claimed.append(intent.intent_id)

            if turn.insist(once) and turn.answer.claimed:
                place(turn, intent, venue=venue, now=intent.created_at + _SECOND)

        return act

    def judge(self, seen: Seen, figures: Figures) -> None:
        """One order beyond the entry, unless one that a fault ended made room for the next."""
        orders = [intent for intent in seen.intents if intent.leg is not Leg.ENTRY]
        standing = [intent for intent in orders if intent.state is not IntentState.VOID]
        if len(standing) > 1:
            figures.double_claims += len(standing) - 1
            figures.wrong(f"{seen.plan.name}: {sorted(intent.leg for intent in standing)} on one position")
        if not seen.plan.stormy and len(orders) != 1:
            figures.wrong(f"{seen.plan.name}: {len(orders)} orders on one position without any fault")
        count_posts(seen, figures)
        booked = sum(intent.state is IntentState.FILLED for intent in orders)
        missed(seen, figures, (("records", seen.booked("record"), 1 + booked),))


def _tranche(slot: Slot, turn: Turn) -> Intent:
    planned = entry_of(turn.world, 5 + turn.client)
    assert slot.entry_intent_id is not None
    return replace(
        planned,
        intent_id=tranche_intent_id(entry_intent_id=slot.entry_intent_id, tick=planned.tick),
        leg=Leg.TRANCHE,
        reason=Reason.ADD,
        entry_intent_id=slot.entry_intent_id,
        attempt=slot.tranches,
    )


def _sale(slot: Slot, turn: Turn) -> Intent:
    now = at(60 * (5 + turn.client))
    intent = exit_intent(slot, reason=Reason.MANUAL_EXIT, tick=now, now=now, rules=rules())
    return replace(intent, intent_id=f"{intent.intent_id[:28]}{turn.client:04}") if turn.control else intent


class LossesOfADay(Workload):
    """Two positions were sold at a loss, and everybody books them on the next day, whose first numbers they are."""

    name = "losses that begin a day"
    settles = True
    dropped = frozenset({"day_unchanged", "same_day"})
    shows = "lost_updates"

    def prepare(self, store: Store, plan: Plan) -> None:
        """Two sales that were sent yesterday."""
        super().prepare(store, plan)
        for number in range(2):
            slot = open_position(store, plan.world, symbol=_symbol(number))
            intent = _sold(slot)
            store.commit(claim_exit(intent))
            store.update(send_gate(intent, worker="gone", now=intent.created_at))

    def ready(self, turn: Turn) -> Callable[[], None]:
        """The venue shows half of them the first sale, half the second."""
        intent = _sold(slot_of(turn.store, turn.world, symbol=_symbol(turn.client % 2)))
        venue = RaceVenue(bid=_BID, ask=PRICE)
        venue.post(post_of(intent))
        turn.answer.orders.update(venue.orders)
        return lambda: settle(turn, intent.intent_id, venue=venue, now=at(_DAY + turn.client))

    def judge(self, seen: Seen, figures: Figures) -> None:
        """Both losses are those of the new day, which has no trade yet."""
        sold = sum(intent.leg is Leg.EXIT and intent.state is IntentState.FILLED for intent in seen.intents)
        budget = seen.budget
        missed(
            seen,
            figures,
            (
                ("day", budget.day, at(_DAY).date().isoformat()),
                ("loss of the day", budget.loss_today, _LOSS * sold),
                ("trades of the day", budget.trades_today, 0),
                ("realised", budget.realised, -_LOSS * sold),
                ("records", seen.booked("record"), 2 + sold),
            ),
        )
        if sold != 2:
            figures.wrong(f"{seen.plan.name}: {sold} of 2 sales were booked")


def _symbol(number: int) -> str:
    return f"S{number}/USDT"


def _sold(slot: Slot) -> Intent:
    """The sale as it was planned on the open position, whatever became of it."""
    planned = replace(slot, exit_attempt=0, quantity=Decimal(1))
    return exit_intent(planned, reason=Reason.STOP_LOSS, tick=at(300), now=at(301), rules=rules())
