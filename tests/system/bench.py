"""A deployed stage with a market that always says buy, one symbol per test, and hands to make things go wrong with."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from local.demo import create_account
from local.driver import Driver
from local.exchange.settings import LOCAL_KEY
from local.rows import Rows, read_rows
from local.stage.stage import LocalStage
from surefill.domain.kinds import Leg
from surefill.domain.rows import Intent, JournalEntry, Slot
from surefill.domain.states import SlotState
from surefill.domain.times import format_time

START = datetime(2026, 1, 5, tzinfo=UTC)
WARM_UP = timedelta(hours=1)
MINUTES = 3_000
SYMBOLS = tuple(f"{base}/USDT" for base in ("BTC", "ETH", "SOL", "ADA", "XRP", "DOT", "LTC", "XLM", "TRX", "UNI"))
OTHER_KEY = ("other-key", "other-secret", "other")
_POLL_SECONDS = 0.05
# The averages alone buy in a rising market, and say nothing in one that stands still.
_PARAMS = {
    "rsi_period": 2,
    "macd_fast": 2,
    "macd_slow": 3,
    "macd_signal": 2,
    "average_fast": 2,
    "average_slow": 3,
    "weight_rsi": 0.0,
    "weight_macd": 0.0,
    "weight_averages": 1.0,
    "buy_score": 1.0,
    "sell_score": 1.0,
}


def write_rising_market(path: Path) -> Path:
    """Minutes that rise by a cent each, from 100 quote up."""
    lines = ["timestamp,open,high,low,close,volume"]
    opened = int(START.timestamp() * 1_000)
    for minute in range(MINUTES):
        price = Decimal(100) + Decimal(minute) / 100
        lines.append(
            f"{opened + minute * 60_000},{price},{price + Decimal('0.01')},{price},{price + Decimal('0.01')},50"
        )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def exchange_arguments(recording: Path) -> tuple[str, ...]:
    """Options of the simulated exchange for this market, with two accounts."""
    arguments = ["--start", (START + WARM_UP).isoformat(), "--rate", "0"]
    for symbol in SYMBOLS:
        arguments += ["--recording", f"{symbol}={recording}"]
    for key, secret, account in ((LOCAL_KEY.key, LOCAL_KEY.secret, "main"), OTHER_KEY):
        arguments += ["--key", f"{key}:{secret}:{account}", "--balance", f"{account}:USDT=100000"]
    return tuple(arguments)


class Bench:
    """The stage and what tests do with it."""

    def __init__(self, stage: LocalStage) -> None:
        self.stage = stage
        self.driver = Driver(stage, pace_seconds=0.01)
        self.driver.fire("refresh_markets")
        self.account = self.make_account("main", key=LOCAL_KEY.key, secret=LOCAL_KEY.secret)
        stage.checkpoint()

    def make_account(self, name: str, *, key: str, secret: str) -> str:
        """A live account that has been read once."""
        secret_name = self.stage.put_exchange_secret(name, key=key, secret=secret)
        account = create_account(self.stage, mode="live", name=name, secret_name=secret_name)
        self.driver.fire("sync_account")
        return account

    def make_bot(self, name: str, *, symbol: str, account: str | None = None, cooldown_seconds: int = 86_400) -> str:
        """A started bot with a budget of its own; it wants to buy at every tick outside its cooldown."""
        budget = self.stage.api.post(
            "budgets", body={"account_id": account or self.account, "name": name, "amount": "1000"}
        )
        body = {
            "name": name,
            "budget_id": budget["budget_id"],
            "symbols": [symbol],
            "strategy": "composite",
            "params": _PARAMS,
            "budget_percent": "25",
            "take_profit_percent": "3",
            "stop_loss_percent": "3",
            "confirmation_seconds": 0,
            "cooldown_seconds": cooldown_seconds,
        }
        self.stage.api.post("bots", body=body)
        self.stage.api.post("bots", name, "start")
        return name

    def stop_bot(self, name: str) -> None:
        """Pause a bot."""
        self.stage.api.post("bots", name, "pause")

    def rows(self) -> Rows:
        """All rows and the exchange's state."""
        return read_rows(self.stage.store, exchange=self.stage.exchange.state())

    def slot(self, bot: str) -> Slot:
        """The one slot of a bot."""
        found = [slot for slot in self.stage.store.all_rows(Slot) if slot.bot_id == bot]
        return found[0] if found else Slot(market_key="", owner_key="")

    def intents(self, bot: str, leg: Leg = Leg.ENTRY) -> list[Intent]:
        """Orders of a bot."""
        return [intent for intent in self.stage.store.all_rows(Intent) if intent.bot_id == bot and intent.leg is leg]

    def reasons(self, bot: str) -> list[str]:
        """Decisions in the bot's journal, oldest first."""
        found = [entry for entry in self.stage.store.all_rows(JournalEntry) if entry.bot_id == bot]
        return [str(entry.reason) for entry in sorted(found, key=lambda entry: entry.entry_key)]

    def tick_until(self, done: Callable[[], bool], *, ticks: int = 10) -> None:
        """Tick until something is so. Fails with what there is when it never is."""
        for _ in range(ticks):
            if done():
                return
            self.driver.next_tick()
        assert done(), f"not so after {ticks} ticks; {self.driver.report}; {self.story()}"

    def story(self) -> str:
        """What is not finished, for a failing test."""
        rows = self.rows()
        parts = [f"{slot.bot_id} {slot.state}" for slot in rows.slots if slot.state is not SlotState.EMPTY]
        parts += [f"{item.bot_id} {item.leg} {item.state} {item.outcome}" for item in rows.intents]
        parts += [f"{entry.bot_id} {entry.entry_key} {entry.reason} {entry.numbers}" for entry in rows.journal[-20:]]
        return "\n".join(parts)

    def wait_until(
        self, done: Callable[[], bool], *, seconds: float = 60, tell: Callable[[], object] | None = None
    ) -> None:
        """Wait in real time until something is so. Fails with what `tell` says when it never is."""
        deadline = time.monotonic() + seconds
        while not done():
            if time.monotonic() > deadline:
                raise AssertionError(f"not so after {seconds} s; {tell() if tell else self.story()}")
            time.sleep(_POLL_SECONDS)

    def log(self, function: str, *, lines: int = 40) -> str:
        """The newest lines a deployed function wrote."""
        group = f"/aws/lambda/{self.stage.function(function)}"
        events = self.stage.aws.logs.filter_log_events(logGroupName=group)["events"]
        return "\n".join(event["message"].rstrip()[:400] for event in events[-lines:])

    def open_position(self, bot: str) -> None:
        """Tick until the bot holds its position."""
        self.tick_until(lambda: self.slot(bot).state is SlotState.OPEN)

    def close_position(self, bot: str, *, symbol: str) -> None:
        """Let the price jump over the take profit and tick until the position is sold."""
        self.stage.exchange.call("POST", "/admin/prices", {"symbol": symbol, "percent": "5", "hold": True})
        self.tick_until(lambda: self.slot(bot).state is SlotState.EMPTY)

    def dispatch(self) -> Any:
        """Fire dispatch alone once more at the present tick, without waiting for what it starts."""
        tick = self.driver.tick
        payload = json.dumps({"schedule": "dispatch", "scheduled_time": format_time(tick)})
        return self.stage.aws.invoke(self.stage.function("dispatch"), payload)

    def posts(self, intent: Intent) -> int:
        """How many requests to place this order arrived at the exchange."""
        return int(self.stage.exchange.state()["order_posts"].get(intent.intent_id, 0))

    def workers(self, function: str) -> list[int]:
        """Process ids of a function's workers: children of this stage's local AWS only."""
        name = f"AWS_LAMBDA_FUNCTION_NAME={self.stage.function(function)}".encode()
        found = []
        for path in Path("/proc").iterdir():
            if path.name.isdigit() and _parent(path) == self.stage.aws_process.pid:
                environment = (path / "environ").read_bytes().split(b"\0")
                if name in environment:
                    found.append(int(path.name))
        return found


def _parent(path: Path) -> int | None:
    try:
        return int((path / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    except OSError:
        return None
