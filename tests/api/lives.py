"""Worlds for the API with different things to show, and what is in them to ask about."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from surefill.api.services import Services
from surefill.domain.identity import owner_key
from surefill.domain.kinds import AccountState, Mode, Scope, Side, StopKind
from surefill.domain.market import Refusal
from surefill.domain.reasons import Reason
from surefill.domain.records import PastTrade, ScheduleRow
from surefill.domain.rows import Account, Bot, Intent, Slot
from surefill.domain.states import SlotState
from surefill.ports import StoreUnavailableError
from surefill.strategies import STRATEGIES, indicators
from surefill.strategies.base import Action, Signal
from surefill.usecases.batches import decode
from surefill.usecases.book import Outcome
from surefill.usecases.claim import claim
from surefill.usecases.control.positions import LevelChange
from surefill.usecases.control.simulate import simulate
from surefill.usecases.facts import MarketFacts
from surefill.usecases.sync_account import AccountSync
from surefill.wire import to_wire
from tests.api.served import NobodyAnswers, furnished, services_on
from tests.fakes.orders import opened
from tests.fakes.rows import MARKET, OWNER, TICK, bot, candle_rows, rules
from tests.fakes.world import World

ACCOUNT, BUDGET, SYMBOL = "live-binance-main", "live-binance-main-b", "BTC/USDT"


@dataclass(kw_only=True)
class Evaluates(NobodyAnswers):
    """The function that evaluates, on a world: it answers dry runs as its handler does."""

    world: World

    def ask(self, name: str, event: Mapping[str, Any]) -> Mapping[str, object]:
        """What the batches would come to."""
        asked = event["dry_run"]
        signal = Action(asked["signal"]) if asked["signal"] else None
        evaluator = self.world.evaluator(STRATEGIES)
        told = [simulate(decode(body), evaluator=evaluator, signal=signal) for body in asked["batches"]]
        return {"results": [to_wire(one) for results in told for one in results]}


@dataclass
class Silent:
    """Queues that do not answer."""

    def depth(self) -> int:
        """Nothing."""
        raise StoreUnavailableError("no answer")

    def waiting(self) -> Mapping[str, int]:
        """Nothing."""
        raise StoreUnavailableError("no answer")


class Away:
    """A store of which the accounts do not answer."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def get(self, row: type[Any], *key: str) -> Any:
        """The row, but no account."""
        if row is Account:
            raise StoreUnavailableError("no answer")
        return self._store.get(row, *key)


@dataclass(frozen=True, kw_only=True)
class Life:
    """A world, its API, and ids of what is in it."""

    world: World
    services: Services
    bot_id: str
    intent_id: str
    stop_id: str


def _services(world: World) -> Services:
    indicators.load()
    world.venue.rows = candle_rows([100.0 + place % 7 for place in range(250)], until=world.clock.now())
    return replace(services_on(world), functions=Evaluates(world=world))


def new() -> Life:
    """One position, and a stop of a bot that holds nothing."""
    world = furnished()
    services = _services(world)
    stop = services.stops.press(StopKind.NO_NEW, scope=Scope.BOT, target="listener", who="w", why="").stop
    (order,) = world.store.intents_of_bot("trend", limit=1)
    return Life(world=world, services=services, bot_id="trend", intent_id=order.intent_id, stop_id=stop.stop_id)


def lived() -> Life:
    """A sale with its dust, a position with a price, a stop that closes it, a trade from before."""
    life = new()
    world, services, store = life.world, life.services, life.world.store
    store.insert(
        PastTrade(
            account_id=ACCOUNT, trade_key=f"2026-01-01T00:00:00Z#{SYMBOL}#7", symbol=SYMBOL, at=TICK, side=Side.BUY,
            quantity=Decimal("1E-8"), price=Decimal(100), cost=Decimal("1E-6"), fee=Decimal(0), fee_asset="BNB",
            venue_order_id="v", trade_id="7",
        )
    )  # fmt: skip
    sale = services.positions.close("trend", symbol=SYMBOL)
    assert world.run_started() == [Outcome.RECORDED]
    world.clock.forward(hours=1)
    now = world.clock.now()
    world.venue.quoted_at = now
    store.replace(rules(fetched_at=now))
    opened(world)
    services.positions.change("trend", symbol=SYMBOL, change=LevelChange(trailing_percent=Decimal(1)), who="w")
    services.hooks.create("listener")
    stop = services.stops.press(StopKind.CLOSE_ALL, scope=Scope.ACCOUNT, target=ACCOUNT, who="w", why="").stop
    store.replace(ScheduleRow(schedule_name="watch_exits", last_tick=TICK, finished_at=now, prices={MARKET: "101.5"}))
    AccountSync(store=store, venues=world.venue, clock=world.clock, observer=world.observer).sync_all(tick=TICK)
    return replace(life, intent_id=sale.intent_id, stop_id=stop.stop_id)


def troubled() -> Life:
    """A reserved order, an account in trouble, a paper one never read, a position that a person must look at."""
    life = new()
    world, store = life.world, life.world.store
    second = bot(bot_id="second", definition_hash="s")
    store.insert(second)
    order = _reserved(world, second)
    account, slot = store.get(Account, ACCOUNT), store.get(Slot, MARKET, OWNER)
    store.replace(
        replace(
            account, state=AccountState.AUTH_FAILED, state_reason="key is not valid", secret_ok=False,
            retry_at=TICK + timedelta(minutes=6), trouble=Reason.CREDENTIALS_REJECTED, trouble_since=TICK,
            differences={"BTC": "-0.5"}, clock_skew_ms=-1_500, imports={SYMBOL: "2026-01-01T00:00:00Z"},
        )
    )  # fmt: skip
    store.insert(Account(account_id="paper-binance-p", venue="binance", mode=Mode.PAPER, currency="USDT"))
    store.replace(replace(slot, state=SlotState.HELD, held_reason=Reason.OVERRUN))
    return replace(life, bot_id="second", intent_id=order.intent_id)


def _reserved(world: World, bot: Bot) -> Intent:
    """An entry of the bot that is not sent yet."""
    place = Slot(market_key=MARKET, owner_key=owner_key(account_id=bot.account_id, bot_id=bot.bot_id))
    buy, facts = Signal(action=Action.BUY), MarketFacts(last_close=world.venue.ask)
    planned = world.planner.plan(bot, slot=place, signal=buy, facts=facts, adds=False)
    assert not isinstance(planned, Refusal), planned
    assert claim(planned[0], store=world.store, observer=world.observer).claimed
    return planned[0]


def unanswered() -> Life:
    """Tables and queues that do not answer."""
    life = new()
    services, store = life.services, Away(life.world.store)
    changed = {
        "store": store,
        "accounts": replace(services.accounts, store=store),
        "health": replace(services.health, store=store, queue=Silent(), dead_letters=Silent()),
    }
    return replace(life, services=replace(services, **changed))
