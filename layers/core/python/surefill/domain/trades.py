"""Closed trades of a bot, read off its finished sales: what sizing, protections and statistics count."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from surefill.domain.kinds import Leg
from surefill.domain.money import ZERO, divide_down, share_down, total
from surefill.domain.reasons import Reason
from surefill.domain.rows import Intent

_GRID = Decimal("0.00000001")
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedTrade:
    """A position that was sold: what it cost (`basis`) and what that brought (`realised`), in quote, fees included."""

    bot_id: str
    symbol: str
    opened_at: datetime
    closed_at: datetime
    basis: Decimal
    realised: Decimal
    reason: Reason

    @property
    def profit_percent(self) -> Decimal:
        """Result in per cent of the basis, rounded down to eight decimals; 0 when nothing was paid."""
        return share_down(self.realised, part=_HUNDRED, whole=self.basis, step=_GRID) if self.basis > ZERO else ZERO


def closed_trades(intents: Iterable[Intent]) -> tuple[ClosedTrade, ...]:
    """The trades in these intents, newest last. Sales of one position are one trade, closed by its newest sale so far.

    Entries, and sales that sold nothing or are not finished, are left out.
    """
    sales: dict[str, list[ClosedTrade]] = defaultdict(list)
    for intent in intents:
        sale = _sale(intent)
        if sale is not None:
            sales[intent.entry_intent_id or intent.intent_id].append(sale)
    return tuple(sorted((_whole(parts) for parts in sales.values()), key=lambda trade: trade.closed_at))


def _sale(intent: Intent) -> ClosedTrade | None:
    if intent.leg is not Leg.EXIT or intent.realised is None or intent.basis is None:
        return None
    if intent.opened_at is None or intent.finished_at is None:
        return None
    return ClosedTrade(
        bot_id=intent.bot_id,
        symbol=intent.symbol,
        opened_at=intent.opened_at,
        closed_at=intent.finished_at,
        basis=intent.basis,
        realised=intent.realised,
        reason=intent.reason,
    )


def _whole(parts: Sequence[ClosedTrade]) -> ClosedTrade:
    last = max(parts, key=lambda part: part.closed_at)
    return ClosedTrade(
        bot_id=last.bot_id,
        symbol=last.symbol,
        opened_at=min(part.opened_at for part in parts),
        closed_at=last.closed_at,
        basis=total(part.basis for part in parts),
        realised=total(part.realised for part in parts),
        reason=last.reason,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """How trades went: shares from 0 to 1, results in per cent of their basis. A trade that ended even is no win."""

    trades: int
    wins: int
    losses: int
    win_rate: Decimal
    average_win: Decimal
    average_loss: Decimal


def record_of(trades: Sequence[ClosedTrade]) -> Record:
    """The record of these trades; all zero without any. `average_loss` is positive."""
    profits = [trade.profit_percent for trade in trades]
    wins = [profit for profit in profits if profit > ZERO]
    losses = [-profit for profit in profits if profit < ZERO]
    return Record(
        trades=len(profits),
        wins=len(wins),
        losses=len(losses),
        win_rate=divide_down(Decimal(len(wins)), Decimal(max(len(profits), 1)), step=_GRID),
        average_win=_mean(wins),
        average_loss=_mean(losses),
    )


def profit_percent_of(trades: Iterable[ClosedTrade]) -> Decimal:
    """Sum of the trades' results in per cent, each of its own basis."""
    return total(trade.profit_percent for trade in trades)


def max_drawdown_percent(trades: Iterable[ClosedTrade]) -> Decimal:
    """Deepest fall of the running sum of results from its peak so far (at least 0), in percentage points."""
    running = peak = deepest = ZERO
    for trade in trades:
        running = total((running, trade.profit_percent))
        peak = max(peak, running)
        deepest = max(deepest, peak - running)
    return deepest


def _mean(values: Sequence[Decimal]) -> Decimal:
    return divide_down(total(values), Decimal(max(len(values), 1)), step=_GRID)
