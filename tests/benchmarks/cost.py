"""`make cost`: what bots cost a month on AWS, from requests counted on a local DynamoDB and list prices.

Prices are us-east-1 list prices without free tiers, read in 2025 and 2026; durations are assumptions, named below.
"""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from tests.benchmarks.counts import counted_world, quiet_minute, read_units, round_trip
from tests.benchmarks.starts import REPOSITORY

MINUTES = 30 * 24 * 60
ROUND_TRIPS = 60  # per bot and month
TOGETHER = 4  # messages the queue hands to one invocation, on average, when there are many
SYMBOLS = 200  # markets all bots together look at; each bot looks at one
GOAL = 0.01
FREQTRADE = 3.44  # a bot-month on its own small instances, five bots each (measured memory, list prices)

PRICES = {
    "write unit": 0.625e-6,
    "read unit": 0.125e-6,
    "lambda GB-second (arm)": 1.33334e-5,
    "lambda request": 0.20e-6,
    "state transition": 0.025e-3,
    "scheduler invocation": 1.0e-6,
    "queue request of 64 KB": 0.40e-6,
    "log GB": 0.50,
}
# Seconds a function runs, warm: venue 80 ms a request, DynamoDB 8 ms a request, the rest CPU at the given memory.
SECONDS = {
    "dispatch": 0.10,
    "dispatch per 1,000 bots": 0.25,
    "evaluate": 0.10,
    "evaluate per 1,000 bots": 0.60,
    "watch_exits": 0.15,
    "watch_exits per market": 0.01,
    "reconcile": 0.03,
    "claim_order": 0.03,
    "place_order": 0.13,
    "publish_events": 0.02,
}
MEMORY = {"publish_events": 0.25}  # GB; the others 0.5
PRICE_BYTES = 30  # "binance|BTC/USDT" and a bid, as stored
LOG_BYTES = {"invocation": 350, "event": 450}


@dataclass(frozen=True, slots=True)
class Bill:
    """Dollars a month, by line."""

    lines: Mapping[str, float]

    @property
    def total(self) -> float:
        """All lines together."""
        return sum(self.lines.values())


def bill(*, bots: int, counted: Mapping[str, float]) -> Bill:
    """The bill of `bots` bots, one symbol each, one tick a minute."""
    markets = min(SYMBOLS, bots)
    trades = bots * ROUND_TRIPS
    orders = 2 * trades
    # Sent ten at a time; a packed bot takes about 60 bytes, so one message is far below 64 KB.
    sent = -(-markets // 10)
    received = -(-markets // TOGETHER)
    prices = markets * PRICE_BYTES // 1024
    duration = {
        "dispatch": MINUTES * (SECONDS["dispatch"] + SECONDS["dispatch per 1,000 bots"] * bots / 1_000),
        "evaluate": MINUTES * (markets * SECONDS["evaluate"] + SECONDS["evaluate per 1,000 bots"] * bots / 1_000),
        "watch_exits": MINUTES * (SECONDS["watch_exits"] + SECONDS["watch_exits per market"] * markets),
        "reconcile": MINUTES * SECONDS["reconcile"],
        "claim_order": orders * SECONDS["claim_order"],
        "place_order": orders * SECONDS["place_order"],
        "publish_events": orders * 3 * SECONDS["publish_events"] / 10,
    }
    requests = MINUTES * (3 + received) + orders * 2.3
    events = orders * 6 + MINUTES * (3 + received)
    return Bill(
        {
            "trades: DynamoDB writes": trades * counted["trade write units"] * PRICES["write unit"],
            "trades: DynamoDB reads": trades * counted["trade read units"] * PRICES["read unit"],
            "trades: decisions journalled": trades * 4 * 2 * PRICES["write unit"],
            "trades: workflow": orders * 2 * PRICES["state transition"],
            "ticks: bots and slots read": MINUTES * bots * counted["read units per bot"] * PRICES["read unit"],
            "ticks: open positions read": MINUTES * bots * counted["read units per slot"] * PRICES["read unit"],
            # One row each; that of watch_exits also holds the price of every market.
            "ticks: schedules": MINUTES
            * (3 * (PRICES["scheduler invocation"] + PRICES["write unit"]) + prices * PRICES["write unit"]),
            # Dispatch asks for the depth; five pollers ask an empty queue every 20 seconds as well.
            "ticks: queue": MINUTES * (1 + sent + 2 * received + 15) * PRICES["queue request of 64 KB"],
            "Lambda time": sum(
                seconds * MEMORY.get(name, 0.5) * PRICES["lambda GB-second (arm)"] for name, seconds in duration.items()
            ),
            "Lambda requests": requests * PRICES["lambda request"],
            "logs": (requests * LOG_BYTES["invocation"] + events * LOG_BYTES["event"]) / 1e9 * PRICES["log GB"],
        }
    )  # fmt: skip


def count() -> dict[str, float]:
    """Count a round trip and a quiet minute on a local DynamoDB."""
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "testing")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "testing")
    with counted_world() as made:
        steps = round_trip(*made)
    many = 400
    with counted_world() as made:
        dispatched, evaluated, _, venue_requests = quiet_minute(*made, bots=many)
        per_bot, per_slot = (read_units(made[1], table) for table in ("bots", "slots"))
    return {
        "trade requests": float(sum(step.requests for step in steps.values())),
        "trade write units": sum(step.write_units for step in steps.values()),
        "trade read units": sum(step.read_units for step in steps.values()),
        "read units per bot": per_bot + per_slot,
        "read units per slot": per_slot,
        "write units per quiet minute": dispatched.write_units + evaluated.write_units,
        "venue requests per market and minute": float(venue_requests),
    }


def main() -> int:
    """Print counts and bills, write build/cost.json; exit 1 when 10,000 bots cost more than the goal each."""
    console = Console()
    counted = count()
    table = Table(title="Counted")
    table.add_column("what")
    table.add_column("number", justify="right")
    for name, number in counted.items():
        table.add_row(name, f"{number:.3f}".rstrip("0").rstrip("."))
    console.print(table)
    sizes = (1, 100, 10_000)
    bills = {bots: bill(bots=bots, counted=counted) for bots in sizes}
    table = Table(title=f"Modelled dollars per bot and month, {ROUND_TRIPS} round trips each")
    table.add_column("line")
    for bots in sizes:
        table.add_column(f"{bots:,} bot{'s' if bots > 1 else ''}", justify="right")
    for line in bills[1].lines:
        table.add_row(line, *(f"{bills[bots].lines[line] / bots:.5f}" for bots in sizes))
    table.add_section()
    table.add_row("all", *(f"{bills[bots].total / bots:.5f}" for bots in sizes))
    console.print(table)
    per_bot = bills[10_000].total / 10_000
    console.print(
        f"10,000 bots: ${per_bot:.4f} each (goal {GOAL}), freqtrade on small instances ${FREQTRADE}:"
        f" {FREQTRADE / per_bot:.0f} times as much. One bot alone: ${bills[1].total:.2f} a month, most of it free tier."
    )
    report = {"counted": counted, "per_bot": {str(bots): bills[bots].total / bots for bots in sizes}}
    (REPOSITORY / "build").mkdir(exist_ok=True)
    (REPOSITORY / "build" / "cost.json").write_text(json.dumps(report, indent=2) + "\n")
    return 0 if per_bot <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
