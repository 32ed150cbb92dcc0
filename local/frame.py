"""What the live view shows, computed from stored rows: plain text in plain tables, nothing of a terminal."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from surefill.domain.kinds import Leg, Mode
from surefill.domain.money import ZERO
from surefill.domain.states import UNFINISHED, SlotState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from local.rows import Rows
    from surefill.domain.rows import Bot, Budget, Intent, JournalEntry, Slot

_FILLS_SHOWN = 8
_NUMBERS_SHOWN = 4
# What a person looks for first among the numbers of a decision.
_TELLING = ("seconds", "needed", "available", "error", "bid", "score", "rsi", "quantity", "reserved")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One picture. Rows are texts in the order of the columns named in `view`."""

    tick: datetime
    ticks: int
    pace_seconds: float
    late_ticks: int
    failures: tuple[str, ...]
    bots: tuple[tuple[str, ...], ...]
    budgets: tuple[tuple[str, ...], ...]
    fills: tuple[tuple[str, ...], ...]
    balances: tuple[str, ...]
    decisions: Mapping[str, int]
    entries: int
    exits: int


def build_frame(
    rows: Rows,
    *,
    prices: Mapping[str, Decimal],
    tick: datetime,
    ticks: int,
    pace_seconds: float,
    late_ticks: int = 0,
    failures: Sequence[str] = (),
) -> Frame:
    """The picture of these rows. `prices` are by the exchange's symbol names ("BTCUSDT")."""
    recorded = recorded_legs(rows.intents)
    return Frame(
        tick=tick,
        ticks=ticks,
        pace_seconds=pace_seconds,
        late_ticks=late_ticks,
        failures=tuple(failures),
        bots=tuple(_bot_rows(rows, prices=prices)),
        budgets=tuple(_budget_row(budget) for budget in sorted(rows.budgets, key=lambda row: row.budget_id)),
        fills=tuple(_fill_rows(rows.intents)),
        balances=tuple(_balances(rows)),
        decisions=dict(Counter(str(entry.reason) for entry in rows.journal if entry.kind == "decision")),
        entries=recorded[Leg.ENTRY],
        exits=recorded[Leg.EXIT],
    )


def recorded_legs(intents: Sequence[Intent]) -> Counter[Leg]:
    """How many entries and exits are recorded with fills."""
    return Counter(intent.leg for intent in intents if intent.fills and intent.state not in UNFINISHED)


def short(amount: Decimal, *, places: int = 2) -> str:
    """An amount for the eye: rounded, with thousands separated."""
    return f"{amount:,.{places}f}"


def _bot_rows(rows: Rows, *, prices: Mapping[str, Decimal]) -> list[tuple[str, ...]]:
    latest: dict[tuple[str, str], JournalEntry] = {}
    for entry in sorted(rows.journal, key=lambda row: row.at):
        latest[(entry.bot_id, entry.symbol)] = entry
    slots = {(slot.bot_id, slot.market_key.partition("|")[2]): slot for slot in rows.slots}
    open_orders = {(intent.bot_id, intent.symbol): intent for intent in rows.intents if intent.state in UNFINISHED}
    shown: list[tuple[str, ...]] = []
    for bot in sorted(rows.bots, key=lambda row: row.bot_id):
        for symbol in bot.symbols:
            key = (bot.bot_id, symbol)
            price = prices.get(symbol.replace("/", ""))
            shown.append(
                (
                    f"{bot.bot_id} ({_mode(bot)})",
                    symbol,
                    short(price) if price is not None else "-",
                    _decision(latest.get(key)),
                    _order(open_orders.get(key)),
                    _position(slots.get(key), price=price),
                )
            )
    return shown


def _mode(bot: Bot) -> str:
    return Mode.LIVE if bot.account_id.startswith("live-") else Mode.PAPER


def _decision(entry: JournalEntry | None) -> str:
    if entry is None:
        return "-"
    first = [name for name in _TELLING if name in entry.numbers]
    names = [*first, *(name for name in entry.numbers if name not in _TELLING)][:_NUMBERS_SHOWN]
    numbers = ", ".join(f"{name} {entry.numbers[name]}" for name in names)
    return f"{entry.at:%H:%M} {entry.reason}" + (f" ({numbers})" if numbers else "")


def _order(intent: Intent | None) -> str:
    if intent is None:
        return "-"
    reserved = f", {short(intent.reserved)} reserved" if intent.reserved else ""
    return f"{intent.side} {intent.quantity} {intent.state}{reserved}"


def _position(slot: Slot | None, *, price: Decimal | None) -> str:
    if slot is None or slot.state is SlotState.EMPTY:
        return "-"
    if slot.state is SlotState.OPENING or not slot.quantity:
        return slot.state
    text = f"{slot.state} {slot.quantity} for {short(slot.cost)}"
    for name, level in (("TP", slot.take_profit), ("SL", slot.stop_loss)):
        if level is not None:
            text += f", {name} {short(level)}" + (f" ({_distance(level, price)})" if price else "")
    return text


def _distance(level: Decimal, price: Decimal) -> str:
    return f"{(level / price - 1) * 100:+.2f} %"


def _budget_row(budget: Budget) -> tuple[str, ...]:
    return (
        budget.budget_id,
        short(budget.available),
        short(budget.reserved),
        short(budget.deployed),
        f"{budget.realised:+,.2f}",
        str(budget.open_positions),
        str(budget.trades_today),
        "yes" if budget.entries_allowed else "no",
    )


def _fill_rows(intents: Sequence[Intent]) -> list[tuple[str, ...]]:
    done = [intent for intent in intents if intent.fills and intent.finished_at is not None]
    done.sort(key=lambda intent: (intent.finished_at or intent.created_at, intent.intent_id), reverse=True)
    return [
        (
            f"{intent.finished_at:%H:%M}",
            intent.bot_id,
            intent.symbol,
            intent.side,
            str(intent.filled_quantity),
            short(intent.filled_cost / intent.filled_quantity) if intent.filled_quantity else "-",
            str(intent.reason),
        )
        for intent in done[:_FILLS_SHOWN]
    ]


def _balances(rows: Rows) -> list[str]:
    shown = []
    for name, balances in rows.exchange.get("accounts", {}).items():
        owned = {asset: Decimal(str(held["free"])) + Decimal(str(held["locked"])) for asset, held in balances.items()}
        parts = [f"{amount.normalize():f} {asset}" for asset, amount in owned.items() if amount != ZERO]
        shown.append(f"{name}: " + (", ".join(parts) or "nothing"))
    return shown
