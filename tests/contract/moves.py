"""A player who makes random moves of the money protocol: mostly sensible, often late, twice, or against the state.

Moves are plain data, so one game can be played on several stores at once and compared.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import TypeVar

from surefill.adapters.dynamodb.codec import encode
from surefill.adapters.memory import MemoryStore
from surefill.domain.fills import OrderResult
from surefill.domain.kinds import BotState, Leg
from surefill.domain.money import ZERO
from surefill.domain.reasons import Reason
from surefill.domain.rows import Bot, Budget, Fill, Intent, Row, Slot
from surefill.domain.states import POSTED, IntentState, SlotState
from surefill.domain.times import day_of
from surefill.ports import Store
from surefill.protocol import entry, exit, funds, order, tranche
from surefill.protocol.parts import budget_key, slot_key_of
from surefill.protocol.transaction import GuardFailedError, Key, Transaction, Update, key_of
from tests.contract.world import T0, World, result_of

Thing = TypeVar("Thing")
Move = Transaction | Update | Bot
# A guard that refused: its name, the key it was on, and the row it saw (as stored: 1.50 and 1.5 are one amount).
Refusal = tuple[str, Key, str]


def play(store: Store, move: Move) -> frozenset[Refusal]:
    """Make a move; what refused it, nothing when it was made."""
    try:
        match move:
            case Transaction():
                store.commit(move)
            case Update():
                store.update(move)
            case Bot():
                store.replace(move)
    except GuardFailedError as error:
        return frozenset((guard.name, guard.key, _text(guard.row)) for guard in error.failed)
    return frozenset()


def _text(row: Row | None) -> str:
    return json.dumps(encode(row), sort_keys=True) if row else "no row"


@dataclass
class Player:
    """Draws moves against what `seen` holds. Quantities are multiples of `grid`, prices are whole."""

    random: Random
    seen: MemoryStore
    worlds: list[World]
    grid: Decimal = Decimal("0.0001")
    resends: bool = True
    seconds: int = 0
    moves: list[Move] = field(default_factory=list)

    def draw(self) -> Move:
        """The next move; some are old ones made again."""
        self.seconds += self.random.choice([1, 5, 60, 600, 20_000])
        if self.resends and self.moves and self.chance(0.08):
            return self.random.choice(self.moves[-6:])
        while True:
            try:
                move = self.random.choice(_MOVES)(self)
            except (ValueError, AssertionError, LookupError):
                continue  # there is no such row yet, or the protocol itself refuses to build it
            self.moves.append(move)
            return move

    @property
    def now(self) -> datetime:
        """The time of the game."""
        return T0 + timedelta(seconds=self.seconds)

    def chance(self, odds: float) -> bool:
        """True once in a while."""
        return self.random.random() < odds

    def amount(self, most: int) -> Decimal:
        """A positive multiple of the grid."""
        return self.grid * self.random.randint(1, int(most / self.grid))

    def intent(self, leg: Leg, *states: IntentState) -> Intent:
        """An intent in one of the states, or now and then one that is not: it must be refused."""
        found = [one for one in self.seen.rows(Intent) if one.leg is leg]
        fitting = [one for one in found if one.state in states]
        return self.one_of(fitting if fitting and not self.chance(0.1) else found)

    def slot(self, *states: SlotState) -> Slot:
        """A slot in one of the states, or now and then one that is not."""
        found = self.seen.rows(Slot)
        fitting = [one for one in found if one.state in states]
        return self.one_of(fitting if fitting and not self.chance(0.1) else found)

    def one_of(self, things: Sequence[Thing]) -> Thing:
        """One of the things; LookupError when there is none."""
        if not things:
            raise LookupError("there is nothing of the kind yet")
        return self.random.choice(things)

    def rolled(self, budget_id: str) -> str | None:
        """The day the budget's numbers are of, when that is over; sometimes forgotten."""
        budget = self.seen.get(Budget, budget_id)
        return None if budget is None or budget.day == day_of(self.now) or self.chance(0.1) else budget.day

    def result(self, intent: Intent) -> OrderResult:
        """What the venue may have done: all, half, or nothing of the order."""
        share = self.random.choice([0, 1, 1, 1, 2])
        if not share:
            return result_of(intent)
        half = share == 2 and intent.quantity % (2 * self.grid) == ZERO
        quantity = intent.quantity / 2 if half else intent.quantity
        price = Decimal(3000 if self.chance(0.05) else self.random.choice([900, 1000, 1100]))
        base = intent.symbol.partition("/")[0]
        fee = self.random.choice([(ZERO, "USDT"), (Decimal("0.01"), "USDT"), (self.grid, base), (self.grid, "BNB")])
        if intent.leg is Leg.EXIT or fee[0] >= quantity:
            fee = (ZERO, "USDT")
        trade = Fill(
            trade_id=str(self.random.randint(10**8, 10**9)),
            quantity=quantity,
            price=price,
            cost=quantity * price,
            fee=fee[0],
            fee_asset=fee[1],
        )
        return result_of(intent, trade)


def _claim(player: Player) -> Move:
    world, symbol = player.random.choice(player.worlds), player.random.choice(_SYMBOLS)
    quantity = player.grid * player.random.randint(1, 400)
    intent = world.entry(
        symbol=symbol,
        tick=player.now,
        quantity=quantity,
        reserved=str(player.amount(1500) if player.chance(0.1) else quantity * 1200),
        **_exposure(player, symbol),
    )
    return entry.claim_entry(intent, budget_day=player.rolled(world.budget_id))


def _exposure(player: Player, symbol: str) -> dict[str, object]:
    """Some budgets count what is at work in an asset; BTC and ETH only, so that others show the plain way."""
    asset = symbol.partition("/")[0]
    return {"exposure_asset": asset, "max_exposure": Decimal(150)} if asset in ("BTC", "ETH") else {}


def _claim_tranche(player: Player) -> Move:
    slot = player.slot(SlotState.OPEN)
    world = next(one for one in player.worlds if one.bot_id == slot.bot_id)
    intent = world.tranche(
        slot,
        tick=player.now,
        quantity=player.grid * player.random.randint(1, 200),
        reserved=str(player.amount(100)),
    )
    return tranche.claim_tranche(intent, budget_day=player.rolled(world.budget_id))


def _held_by(player: Player, *states: IntentState) -> tuple[Intent, Slot]:
    intent = player.intent(Leg.TRANCHE, *states)
    slot = player.seen.get(Slot, *slot_key_of(intent).values)
    if slot is None:
        raise LookupError(intent.intent_id)
    return intent, slot


def _record_tranche(player: Player) -> Move:
    intent, slot = _held_by(player, *POSTED)
    profit = player.random.choice([None, Decimal("1100.5")])
    return tranche.record_tranche(
        intent, slot=slot, result=player.result(intent), take_profit=profit, stop_loss=None, now=player.now
    )


def _record_tranche_held(player: Player) -> Move:
    intent, slot = _held_by(player, *POSTED)
    return tranche.record_tranche_held(intent, slot=slot, result=player.result(intent), now=player.now)


def _release_tranche(player: Player) -> Move:
    intent = player.intent(Leg.TRANCHE, IntentState.RESERVED, IntentState.UNKNOWN)
    return tranche.release_tranche(intent, to=IntentState.VOID, outcome=Reason.NEVER_SENT, now=player.now)


def _send(player: Player) -> Move:
    leg = player.random.choice([*Leg])
    intent = player.intent(leg, IntentState.RESERVED)
    return order.send_gate(intent, worker=f"w{player.random.randint(1, 3)}", now=player.now)


def _look(player: Player) -> Move:
    intent = player.intent(player.random.choice([*Leg]), *POSTED)
    later = player.now + timedelta(seconds=30)
    return player.random.choice(
        [
            order.mark_unknown(intent, look_again_at=later),
            order.mark_accepted(intent, venue_order_id="7", look_again_at=later),
            order.mark_absent(intent, now=player.now, look_again_at=later),
            order.look_again(intent, at=later),
        ]
    )


def _record(player: Player) -> Move:
    intent = player.intent(Leg.ENTRY, *POSTED)
    profit = player.random.choice([None, Decimal("1100.5")])
    return entry.record_entry(intent, result=player.result(intent), take_profit=profit, stop_loss=None, now=player.now)


def _record_held(player: Player) -> Move:
    intent = player.intent(Leg.ENTRY, *POSTED)
    return entry.record_entry_held(intent, result=player.result(intent), now=player.now)


def _release(player: Player) -> Move:
    intent = player.intent(Leg.ENTRY, IntentState.RESERVED, IntentState.UNKNOWN)
    to, outcome = player.random.choice([(IntentState.VOID, Reason.NEVER_SENT), (IntentState.EMPTY, Reason.NOT_FILLED)])
    return entry.release_entry(intent, to=to, outcome=outcome, now=player.now)


def _adopt(player: Player) -> Move:
    intent = player.intent(Leg.ENTRY, IntentState.VOID)
    return entry.adopt_entry(intent, result=player.result(intent), take_profit=None, stop_loss=None, now=player.now)


def _claim_exit(player: Player) -> Move:
    slot = player.slot(SlotState.OPEN)
    world = next(one for one in player.worlds if one.bot_id == slot.bot_id)
    part = slot.quantity > player.grid and player.chance(0.3)
    changes = {"part": True, "quantity": player.grid, "reason": Reason.LADDER} if part else {}
    return exit.claim_exit(world.exit(slot, tick=player.now, **changes))


def _record_exit(player: Player) -> Move:
    intent = player.intent(Leg.EXIT, *POSTED)
    slot = player.seen.get(Slot, *slot_key_of(intent).values)
    if slot is None:
        raise LookupError(intent.intent_id)
    return exit.record_exit(
        intent,
        slot=slot,
        result=player.result(intent),
        sellable=player.chance(0.7),
        now=player.now,
        budget_day=player.rolled(intent.budget_id),
    )


def _reopen(player: Player) -> Move:
    intent = player.intent(Leg.EXIT, IntentState.RESERVED)
    held = player.random.choice([None, None, Reason.BALANCE_SHORT])
    return exit.reopen(intent, to=IntentState.VOID, outcome=Reason.NEVER_SENT, now=player.now, held=held)


def _dust(player: Player) -> Move:
    slot = player.slot(SlotState.OPEN)
    return exit.close_as_dust(slot, now=player.now, budget_day=player.rolled(slot.budget_id))


def _unhold(player: Player) -> Move:
    slot = player.slot(SlotState.HELD)
    if slot.state is not SlotState.HELD:
        raise LookupError("no slot is held")
    return Update(key=key_of(slot), set={"state": SlotState.OPEN, "held_reason": None})


def _funds(player: Player) -> Move:
    move = player.random.choice([funds.fund, funds.withdraw])
    request_id = str(player.random.randint(1, 20))
    budget_id = player.random.choice(player.worlds).budget_id
    return move(budget_id, amount=player.amount(300), request_id=request_id, now=player.now)


def _switches(player: Player) -> Move:
    world = player.random.choice(player.worlds)
    if player.chance(0.3):
        return world.bot(state=BotState.PAUSED if player.chance(0.2) else BotState.ACTIVE)
    if player.chance(0.6):
        return funds.switch_entries(world.budget_id, allowed=player.chance(0.85))
    limits = {"max_open_positions": 1, "max_trades_per_day": 3, "max_daily_loss": Decimal(5)}
    name = player.random.choice(list(limits))
    return Update(key=budget_key(world.budget_id), set={name: limits[name] if player.chance(0.2) else None})


_SYMBOLS = [f"{base}/USDT" for base in ("BTC", "ETH", "SOL", "ADA")]
_MOVES: list[Callable[[Player], Move]] = [
    *[_claim, _send, _record, _claim_exit, _record_exit] * 4,
    *[_claim_tranche, _record_tranche] * 2,
    *[_look, _release, _adopt, _reopen, _record_held, _unhold] * 2,
    *[_release_tranche, _record_tranche_held],
    *[_funds, _switches, _switches, _switches],
    _dust,
]
