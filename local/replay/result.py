"""What a replay came to: trades, decisions, balances, and a fingerprint that only the input can change."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from local.invariants import check_all
from local.summary import closed_positions, shown
from surefill.domain.kinds import Leg
from surefill.domain.money import ZERO, add, subtract
from surefill.domain.states import SlotState
from surefill.domain.times import format_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.rows import Rows
    from surefill.domain.rows import Intent, JournalEntry, Slot

# Journal entries that follow from the market alone. Others tell of runs ("reconcile", "account").
_DECIDING = ("decision", "exit", "claim-entry", "claim-exit")


def replay_result(
    rows: Rows, *, ticks: int, seconds: float, decisions: Mapping[str, int], symbols: list[str]
) -> dict[str, Any]:
    """The result as one JSON document."""
    trades = [_trade(intent) for intent in _in_order(rows)]
    balances = _balances(rows)
    journal = [_entry(entry) for entry in sorted(rows.journal, key=lambda row: (row.entry_key, row.bot_id))]
    deciding = [entry for entry in journal if entry["kind"] in _DECIDING]
    violations = check_all(rows)
    return {
        "symbols": symbols,
        "bots": len(rows.bots),
        "ticks": ticks,
        "ticks_per_second": round(ticks / seconds, 2) if seconds else None,
        "trades": trades,
        "closed_positions": closed_positions(rows.intents),
        "open_positions": sum(slot.state is not SlotState.EMPTY for slot in rows.slots),
        "decisions": dict(sorted(decisions.items())),
        "balances": balances,
        "unexplained": unexplained(rows),
        "violations": len(violations),
        "violation_details": [shown(violation) for violation in violations],
        "fingerprint": fingerprint(trades, deciding, dict(sorted(decisions.items())), balances),
    }


def unexplained(rows: Rows) -> dict[str, str]:
    """What the exchange holds beyond what the tables explain, by asset; empty when every balance is conserved.

    All of the account is in budgets: its quote is what they have free or reserved, its base what positions hold and
    what sales left as dust.
    """
    expected: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for budget in rows.budgets:
        expected[budget.currency] = add(expected[budget.currency], budget.available, budget.reserved)
    for slot in rows.slots:
        base = slot.market_key.partition("|")[2].partition("/")[0]
        expected[base] = add(expected[base], slot.quantity)
    for entry in rows.ledger:
        if entry.symbol and entry.dust:
            base = entry.symbol.partition("/")[0]
            expected[base] = add(expected[base], entry.dust)
    for balances in rows.exchange.get("accounts", {}).values():
        for asset, held in balances.items():
            expected[asset] = subtract(expected[asset], add(Decimal(held["free"]), Decimal(held["locked"])))
    return {asset: f"{-missing:f}" for asset, missing in sorted(expected.items()) if missing}


def fingerprint(*parts: Any) -> str:
    """SHA-256 over the parts as canonical JSON."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _in_order(rows: Rows) -> list[Intent]:
    return sorted(
        rows.intents, key=lambda intent: (intent.tick, intent.bot_id, intent.symbol, intent.leg, intent.attempt)
    )


def _trade(intent: Intent) -> dict[str, Any]:
    """An order and what it did. Ids the exchange deals out in the order of arrival are left out."""
    return {
        "tick": format_time(intent.tick),
        "bot": intent.bot_id,
        "symbol": intent.symbol,
        "leg": intent.leg,
        "side": intent.side,
        "reason": intent.reason,
        "state": intent.state,
        "outcome": intent.outcome,
        "quantity": f"{intent.quantity:f}",
        "limit_price": None if intent.limit_price is None else f"{intent.limit_price:f}",
        "filled_quantity": f"{intent.filled_quantity:f}",
        "filled_cost": f"{intent.filled_cost:f}",
        "fills": sorted(
            [f"{fill.quantity:f}", f"{fill.price:f}", f"{fill.fee:f}", fill.fee_asset] for fill in intent.fills
        ),
        "opens_position": intent.leg is Leg.ENTRY and bool(intent.fills),
    }


def _entry(entry: JournalEntry) -> dict[str, Any]:
    return {
        "key": entry.entry_key,
        "bot": entry.bot_id,
        "kind": entry.kind,
        "symbol": entry.symbol,
        "reason": entry.reason,
        "numbers": dict(sorted(entry.numbers.items())),
    }


def _balances(rows: Rows) -> dict[str, Any]:
    budgets = {
        budget.budget_id: {
            name: f"{getattr(budget, name):f}" for name in ("funded", "available", "reserved", "deployed", "realised")
        }
        for budget in sorted(rows.budgets, key=lambda row: row.budget_id)
    }
    positions = {
        f"{slot.bot_id} {slot.market_key}": _position(slot)
        for slot in sorted(rows.slots, key=lambda row: (row.bot_id, row.market_key))
        if slot.state is not SlotState.EMPTY
    }
    accounts = {
        name: {asset: f"{held['free']}" for asset, held in sorted(balances.items())}
        for name, balances in rows.exchange.get("accounts", {}).items()
    }
    return {"budgets": budgets, "positions": positions, "exchange": accounts}


def _position(slot: Slot) -> dict[str, str]:
    return {"state": slot.state, "quantity": f"{slot.quantity:f}", "cost": f"{slot.cost:f}"}
