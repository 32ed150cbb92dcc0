"""What an operator may ask for, and what is refused with which field."""

from dataclasses import replace
from decimal import Decimal

import pytest

from surefill.domain.kinds import BotState, Mode
from surefill.domain.reasons import Reason
from surefill.domain.records import MarketRules
from surefill.domain.rows import Account, Bot
from surefill.domain.rules import (
    ExitRules,
    GateRules,
    LadderStep,
    Protection,
    RoiStep,
    SizingMode,
    SizingRules,
    Tier,
)
from surefill.domain.states import SlotState
from surefill.usecases.batches import decode
from surefill.usecases.control.accounts import AccountControl
from surefill.usecases.control.bots import BotControl
from surefill.usecases.control.errors import ConflictError, NotFoundError, RequestRefusedError
from surefill.usecases.control.positions import PositionControl
from surefill.usecases.control.specs import BotSpec
from tests.fakes.rows import TICK, rules
from tests.fakes.world import World


@pytest.fixture
def world() -> World:
    made = World()
    made.store.replace(
        replace(
            Account(account_id="live-binance-main", venue="binance", mode=Mode.LIVE, currency="USDT", secret_name="s"),
            reconciled_at=TICK, balances={"USDT": "1500"},
        )
    )  # fmt: skip
    return made


def accounts(world: World) -> AccountControl:
    return AccountControl(store=world.store, clock=world.clock, observer=world.observer, venues=["binance"])


def bots(world: World) -> BotControl:
    return BotControl(store=world.store, queue=world.queue, clock=world.clock, observer=world.observer)


def positions(world: World) -> PositionControl:
    return PositionControl(
        store=world.store, bots=bots(world), workflow=world.workflow, clock=world.clock, observer=world.observer
    )


def spec(**changes: object) -> BotSpec:
    return replace(
        BotSpec(
            name="fresh",
            budget_id="live-binance-main-b",
            symbols=["BTC/USDT"],
            strategy="composite",
            params={},
            budget_percent=Decimal(10),
        ),
        **changes,  # type: ignore[arg-type]
    )


def test_a_new_bot_is_paused_and_due_at_once_when_started(world: World) -> None:
    """Incident N23."""
    made = bots(world).create(spec())
    assert made.state is BotState.PAUSED
    started = bots(world).set_state("fresh", state=BotState.ACTIVE)
    assert (started.cadence_key, started.scheduled_since) == ("60", world.clock.now())
    (body,) = world.queue.bodies
    assert [member.bot_id for member in decode(body).bots] == ["fresh"]
    bots(world).set_state("fresh", state=BotState.ACTIVE)
    assert len(world.queue.bodies) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"strategy": "moon"}, "strategy"),
        ({"params": {"rsi_period": 1}}, "params"),
        ({"symbols": ["DOGE/USDT"]}, "symbols"),
        ({"symbols": []}, "symbols"),
        ({"symbols": ["BTC/USDT", "BTC/USDT"]}, "symbols"),
        ({"name": "Bad Name"}, "name"),
        ({"budget_percent": Decimal(0)}, "budget_percent"),
        ({"take_profit_percent": Decimal(-1)}, "take_profit_percent"),
        ({"take_profit_percent": Decimal(1), "stop_loss_percent": Decimal(2)}, "take_profit_percent"),
        ({"stop_loss_percent": Decimal(100)}, "stop_loss_percent"),
        ({"slippage_percent": Decimal(6)}, "slippage_percent"),
        ({"interval_seconds": 61}, "interval_seconds"),
        ({"timeframe": "soon"}, "timeframe"),
        ({"cooldown_seconds": -1}, "cooldown_seconds"),
        ({"take_profit_percent": Decimal(0)}, "take_profit_percent"),
        ({"budget_percent": Decimal(26)}, "budget_percent"),
        ({"sizing": SizingRules(mode=SizingMode.TIERED)}, "sizing.tiers"),
        ({"sizing": SizingRules(mode=SizingMode.FIXED)}, "sizing.amount"),
        ({"sizing": SizingRules(max_trade=Decimal(0))}, "sizing.max_trade"),
        ({"sizing": SizingRules(kelly_trades=0)}, "sizing.kelly_trades"),
        ({"sizing": SizingRules(tiers=(Tier(from_equity=Decimal(-1), percent=Decimal(1)),))}, "sizing.tiers"),
        ({"gates": GateRules(time_zone="Mars")}, "gates"),
        (
            {"gates": GateRules(low_profit=Protection(lookback_seconds=60, trades=0, pause_seconds=1))},
            "gates.low_profit",
        ),
        ({"gates": GateRules(adviser_seconds=0)}, "gates.adviser_seconds"),
        ({"gates": GateRules(adviser_calls_per_day=-1)}, "gates.adviser_calls_per_day"),
        ({"exit_rules": ExitRules(trailing_percent=Decimal(0))}, "exit_rules.trailing_percent"),
        ({"exit_rules": ExitRules(time_limit_seconds=0)}, "exit_rules.time_limit_seconds"),
        ({"exit_rules": ExitRules(roi=(RoiStep(after_seconds=-1, percent=Decimal(1)),))}, "exit_rules.roi"),
        (
            {"exit_rules": ExitRules(ladder=(LadderStep(percent=Decimal(1), share=Decimal("0.6")),) * 2)},
            "exit_rules.ladder",
        ),
    ],
)
def test_what_could_never_trade_is_refused_with_the_field(world: World, changes: dict[str, object], field: str) -> None:
    with pytest.raises(RequestRefusedError) as refused:
        bots(world).create(spec(**changes))
    assert refused.value.field == field
    assert world.store.get(Bot, "fresh") is None


def test_a_take_profit_below_the_stop_can_be_insisted_on(world: World) -> None:
    changes = {"take_profit_percent": Decimal(1), "stop_loss_percent": Decimal(2), "accept_risk_ratio": True}
    assert bots(world).create(spec(**changes)).take_profit_percent == 1


def test_a_twin_is_refused_by_its_name(world: World) -> None:
    """Incident N09."""
    bots(world).create(spec())
    with pytest.raises(ConflictError, match="bot 'fresh' has exactly this definition"):
        bots(world).create(spec(name="again"))


def test_a_market_in_another_currency_or_not_trading_is_refused(world: World) -> None:
    world.store.insert(rules(market_key="binance|ETH/BTC", symbol="ETH/BTC", base="ETH", quote="BTC"))
    world.store.insert(rules(market_key="binance|OLD/USDT", symbol="OLD/USDT", base="OLD", active=False))
    for symbol in ("ETH/BTC", "OLD/USDT"):
        with pytest.raises(RequestRefusedError):
            bots(world).create(spec(symbols=[symbol]))


def test_a_bot_that_holds_something_is_not_deleted(world: World) -> None:
    from tests.unit.usecases.test_schedules import held

    held(world)
    with pytest.raises(ConflictError, match=r"still holds binance\|BTC/USDT"):
        bots(world).delete("trend")
    world.store.replace(replace(world.slot(), state=SlotState.EMPTY))
    bots(world).delete("trend")
    with pytest.raises(NotFoundError):
        bots(world).bot("trend")


def test_closing_twice_is_one_sale(world: World) -> None:
    from tests.unit.usecases.test_schedules import held

    held(world)
    first = positions(world).close("trend", symbol="BTC/USDT")
    assert positions(world).close("trend", symbol="BTC/USDT").intent_id == first.intent_id
    assert first.reason is Reason.MANUAL_EXIT
    assert len(world.workflow.started) == 1


def test_closing_nothing_says_so(world: World) -> None:
    with pytest.raises(ConflictError, match="slot is EMPTY"):
        positions(world).close("trend", symbol="BTC/USDT")


def test_closing_needs_the_markets_rules(world: World) -> None:
    from surefill.protocol.transaction import Key
    from tests.unit.usecases.test_schedules import held

    held(world)
    world.store.delete(Key(MarketRules, ("binance|BTC/USDT",)))
    with pytest.raises(ConflictError, match="refresh the markets"):
        positions(world).close("trend", symbol="BTC/USDT")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"venue": "mtgox"}, "venue"), ({"name": "A"}, "name"), ({"secret_name": None}, "secret_name"),
        ({"mode": Mode.PAPER, "paper_balance": None}, "paper_balance"),
        ({"mode": Mode.PAPER, "paper_balance": Decimal(0)}, "paper_balance"),
    ],
)  # fmt: skip
def test_a_wrong_account_is_refused_with_the_field(world: World, body: dict[str, object], field: str) -> None:
    good = {"name": "b", "venue": "binance", "mode": Mode.LIVE, "currency": "USDT", "secret_name": "s"}
    with pytest.raises(RequestRefusedError) as refused:
        accounts(world).create_account(**{**good, **body})  # type: ignore[arg-type]
    assert refused.value.field == field


def test_a_paper_account_starts_with_its_balance(world: World) -> None:
    made = accounts(world).create_account(
        name="p", venue="binance", mode=Mode.PAPER, currency="usdt", paper_balance=Decimal(500)
    )
    assert (made.account_id, made.currency) == ("paper-binance-p", "USDT")
    assert made.paper_balance == 500
    with pytest.raises(ConflictError):
        accounts(world).create_account(
            name="p", venue="binance", mode=Mode.PAPER, currency="usdt", paper_balance=Decimal(500)
        )


def test_budgets_never_hold_more_than_the_account(world: World) -> None:
    """1500 are there, 1000 of them in the first budget."""
    with pytest.raises(RequestRefusedError, match="above the 500 USDT"):
        accounts(world).create_budget(account_id="live-binance-main", name="c", amount=Decimal("500.01"))
    assert accounts(world).create_budget(account_id="live-binance-main", name="c", amount=Decimal(500)).available == 500


def test_an_account_that_was_never_read_gives_no_budget(world: World) -> None:
    account = world.store.get(Account, "live-binance-main")
    assert account is not None
    world.store.replace(replace(account, reconciled_at=None, state_reason="-2015 bad key"))
    with pytest.raises(ConflictError, match=r"not been read from its venue yet.*-2015"):
        accounts(world).create_budget(account_id="live-binance-main", name="c", amount=Decimal(1))


def test_funding_and_withdrawing_happen_once_per_request(world: World) -> None:
    control = accounts(world)
    for _ in range(2):
        control.fund("live-binance-main-b", amount=Decimal(100), request_id="r1")
    assert world.money().funded == 1100
    for _ in range(2):
        control.withdraw("live-binance-main-b", amount=Decimal(300), request_id="r2")
    assert (world.money().available, world.money().funded) == (800, 800)
    with pytest.raises(ConflictError, match="above the 800"):
        control.withdraw("live-binance-main-b", amount=Decimal(801), request_id="r3")


def test_entries_are_switched_per_budget(world: World) -> None:
    assert accounts(world).switch_entries("live-binance-main-b", allowed=False).entries_allowed is False
    with pytest.raises(NotFoundError):
        accounts(world).switch_entries("nothing", allowed=False)
