"""Fill a deployed local stage for the benchmark of its API, with rows as the product writes them.

Budgets and bots come from the product's own transactions and use cases, run here on the stage's tables; a hundred bots
more are started each minute, and the deployed functions do that whole minute: each new bot decides, every tenth buys.
Only the older decisions are written straight into the journal, under the keys and with the numbers a decision has.
Time stands within a minute, and after the last one.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from local.demo import create_account
from local.exchange.settings import LOCAL_KEY
from local.replay.drive import ReplayDriver
from local.stage.progress import Progress, step
from local.stage.stage import LocalStage
from surefill.adapters.clocks import RemoteClock
from surefill.domain.decisions import Decision, journal_entry
from surefill.domain.reasons import Reason
from surefill.domain.rows import Budget, JournalEntry
from surefill.domain.states import SlotState
from surefill.protocol.funds import open_budget
from surefill.usecases.control.bots import BotControl
from surefill.usecases.control.specs import BotSpec
from tests.fakes.ports import ListObserver, ListQueue
from tests.system.bench import START, SYMBOLS, exchange_arguments, write_rising_market

Item = TypeVar("Item")
_BEGINNING = START + timedelta(hours=12)
_MINUTE = timedelta(minutes=1)
_ACCOUNT = "main"
_FUNDS = Decimal(100_000)
_HOLDS_EVERY = 10
_STARTED_EACH_MINUTE = 100
_SAY_EVERY_SECONDS = 5.0
# In a market that only rises the averages alone buy, and all votes together never agree.
_ALWAYS_BUYS = {"weight_rsi": 0.0, "weight_macd": 0.0, "weight_averages": 1.0, "buy_score": 1.0, "sell_score": 1.0}
_NEVER_ACTS = {"buy_score": 1.0, "sell_score": 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What is in the tables now: every bot with its symbol, and those of them that hold a position."""

    account: str
    budgets: Sequence[str]
    symbols: dict[str, str]
    holders: Sequence[str]
    decisions: int


def market_arguments(folder: Path) -> tuple[str, ...]:
    """Options of an exchange whose every market rises."""
    return exchange_arguments(write_rising_market(folder / "rising.csv"))


def fill(stage: LocalStage, *, bots: int, decisions: int, budgets: int, progress: Progress) -> Filled:
    """Fill the tables. Raises RuntimeError when they do not hold then what was asked for."""
    stage.exchange.set_clock(_BEGINNING, rate=0)
    driver = ReplayDriver(stage)
    with step(progress, "account and markets"):
        driver.fire("refresh_markets", tick=_BEGINNING)
        secret = stage.put_exchange_secret(_ACCOUNT, key=LOCAL_KEY.key, secret=LOCAL_KEY.secret)
        account = create_account(stage, mode="live", name=_ACCOUNT, secret_name=secret)
        driver.fire("sync_account", tick=_BEGINNING)
    with step(progress, f"{budgets:,} budgets"):
        ids = list(_counted(_open_budgets(stage, account=account, count=budgets), of=budgets, progress=progress))
    with step(progress, f"{bots:,} bots, each evaluated by the deployed functions"):
        made = dict(_counted(_start_bots(stage, driver, budgets=ids, count=bots), of=bots, progress=progress))
    stage.aws.switch_event_source(stage.function("evaluate"), enabled=True)
    with step(progress, f"{decisions:,} decisions"):
        for _ in _counted(_write_decisions(stage, made, each=decisions // bots), of=bots, progress=progress):
            pass
    filled = Filled(
        account=account, budgets=ids, symbols=made, holders=_holders(stage), decisions=decisions // bots * bots
    )
    _check(stage, filled)
    return filled


def _open_budgets(stage: LocalStage, *, account: str, count: int) -> Iterator[str]:
    """Creating a budget over the API reads all others each time; this is the transaction it ends in."""
    amount = _FUNDS / count
    for number in range(count):
        budget = Budget(
            budget_id=f"{account}-u{number}", account_id=account, currency="USDT", funded=amount, available=amount
        )
        stage.store.commit(open_budget(budget, request_id="open", now=_BEGINNING))
        yield budget.budget_id


def _start_bots(
    stage: LocalStage, driver: ReplayDriver, *, budgets: Sequence[str], count: int
) -> Iterator[tuple[str, str]]:
    """Bots that have been through a minute. No message wakes one before its first."""
    clock = RemoteClock(stage.exchange.clock_url)
    control = BotControl(store=stage.store, queue=ListQueue(), clock=clock, observer=ListObserver())
    sharing = -(-count // len(budgets))
    # All that hold a position must find room in their budget.
    percent = min(Decimal(25), Decimal(80) // -(-sharing // _HOLDS_EVERY))
    for number in range(count):
        holds = number % _HOLDS_EVERY == 0
        bot = control.create(
            BotSpec(
                name=f"b{number}",
                budget_id=budgets[number // sharing],
                symbols=[SYMBOLS[number // _HOLDS_EVERY % len(SYMBOLS)]],
                strategy="composite",
                params=_ALWAYS_BUYS if holds else _NEVER_ACTS,
                timeframe="1m",
                interval_seconds=60,
                budget_percent=percent,
                confirmation_seconds=0,
                cooldown_seconds=900 + number,  # no two bots may do just the same
                auto_start=True,
            )
        )
        if number % _STARTED_EACH_MINUTE == _STARTED_EACH_MINUTE - 1 or number == count - 1:
            driver.tick(_BEGINNING + (number // _STARTED_EACH_MINUTE + 1) * _MINUTE)
            clock.refresh()
        yield bot.bot_id, bot.symbols[0]


def _write_decisions(stage: LocalStage, bots: dict[str, str], *, each: int) -> Iterator[None]:
    """What each bot would have decided in the minutes before, going back and forth between two decisions."""
    for bot, symbol in bots.items():
        (real,) = stage.store.journal_of(bot, limit=1)
        made = (
            Decision(bot_id=bot, symbol=symbol, tick=real.at - back * _MINUTE, reason=reason, numbers=real.numbers)
            for back in range(1, each)
            for reason in [Reason.HOLD if back % 2 else Reason.WAITING_CONFIRMATION]
        )
        stage.store.journal([journal_entry(decision, kind="decision") for decision in made])
        yield


def _holders(stage: LocalStage) -> list[str]:
    slots = (stage.store.slots_of_market(f"binance|{symbol}", consistent=True) for symbol in SYMBOLS)
    return [slot.bot_id for found in slots for slot in found if slot.state is SlotState.OPEN]


def _check(stage: LocalStage, filled: Filled) -> None:
    """Every tenth bot holds a position, and the journal is as long as it should be."""
    wanted = [bot for number, bot in enumerate(filled.symbols) if number % _HOLDS_EVERY == 0]
    if sorted(filled.holders) != sorted(wanted):
        raise RuntimeError(f"every tenth bot must hold a position, expected {len(wanted)}, were {len(filled.holders)}")
    found = len(stage.store.all_rows(JournalEntry))
    if found < filled.decisions:
        raise RuntimeError(f"the journal must hold {filled.decisions} decisions, holds {found}")


def _counted(items: Iterator[Item], *, of: int, progress: Progress) -> Iterator[Item]:
    """The items, told about every few seconds."""
    told_at = time.monotonic()
    for number, item in enumerate(items, start=1):
        yield item
        if time.monotonic() - told_at > _SAY_EVERY_SECONDS:
            told_at = time.monotonic()
            progress.say(f"  {number:,} of {of:,}")
