"""Statistics: what the ledger and its orders say, never paper and live together."""

from dataclasses import replace
from decimal import Decimal

import pytest

from surefill.adapters.memory import MemoryStore
from surefill.domain.kinds import Mode
from surefill.domain.reasons import Reason
from surefill.domain.records import ScheduleRow
from surefill.domain.rows import Account
from surefill.protocol.funds import open_budget
from surefill.usecases import statistics
from surefill.usecases.book import Outcome
from surefill.usecases.claim import claim
from surefill.usecases.control.errors import NotFoundError, RequestRefusedError
from surefill.usecases.control.prices import Prices
from surefill.usecases.exits import exit_intent
from surefill.usecases.statistics import Statistics, StatisticsReader, drawdown_of, fees_of, unrealised_of
from tests.fakes.orders import entry_of
from tests.fakes.rows import MARKET, TICK, budget, rules
from tests.fakes.world import World
from tests.unit.usecases.explain.places import fill, held, order

BUDGET = "live-binance-main-b"
PAPER = Account(account_id="paper-binance-main", venue="binance", mode=Mode.PAPER, currency="USDT")


@pytest.fixture
def world() -> World:
    return World()


def reader(world: World) -> StatisticsReader:
    return StatisticsReader(store=world.store, clock=world.clock)


def buy(world: World) -> None:
    intent = entry_of(world)
    assert claim(intent, store=world.store, observer=world.observer).claimed
    assert world.placer.place(intent, worker="w") is Outcome.RECORDED


def looked(world: World, bids: dict[str, str]) -> None:
    """The minute's look at the open positions saw these prices."""
    now = world.clock.now()
    world.store.replace(ScheduleRow(schedule_name="watch_exits", last_tick=now, finished_at=now, prices=bids))


def trade(world: World, *, sells_at: str, reason: Reason = Reason.TAKE_PROFIT) -> None:
    """Buy at 100, sell at a price, and let a moment pass."""
    buy(world)
    world.venue.bid = Decimal(sells_at)
    now = world.clock.now()
    sale = exit_intent(world.slot(), reason=reason, tick=now, now=now, rules=rules())
    assert claim(sale, store=world.store, observer=world.observer).claimed
    assert world.placer.place(sale, worker="w") is Outcome.RECORDED
    world.venue.bid = Decimal(100)
    world.clock.forward(seconds=10)


def test_nothing_was_traded_yet(world: World) -> None:
    found = reader(world).of_bot("trend")
    assert (found.trades, found.realised, found.unrealised, found.days) == (0, 0, 0, ())
    assert found.best is None
    assert found.record.win_rate == 0


def test_two_wins_and_a_loss(world: World) -> None:
    trade(world, sells_at="110")
    trade(world, sells_at="90", reason=Reason.STOP_LOSS)
    trade(world, sells_at="105")
    found = reader(world).of_bot("trend")
    assert (found.trades, found.record.wins, found.record.losses) == (3, 2, 1)
    assert found.record.win_rate == Decimal("0.66666666")
    assert found.realised == world.money().realised
    assert found.best is not None
    assert found.worst is not None
    assert found.best.realised > 0 > found.worst.realised
    assert found.max_drawdown == -found.worst.realised
    assert [(day.day, day.trades, day.wins) for day in found.days] == [("2026-01-05", 3, 2)]
    assert found.days[0].realised == found.realised


def test_every_view_counts_the_same_trades(world: World) -> None:
    trade(world, sells_at="110")
    views = [reader(world).of_bot("trend"), reader(world).of_budget(BUDGET), reader(world).of_account(BUDGET[:-2])]
    assert len({replace(view, of="") for view in map(_comparable, views)}) == 1


def _comparable(view: Statistics) -> Statistics:
    return replace(view, fees=tuple(view.fees.items()))  # type: ignore[arg-type]


def test_fees_by_the_asset_they_were_paid_in(world: World) -> None:
    trade(world, sells_at="110")
    fees = reader(world).of_bot("trend").fees
    assert set(fees) == {"BTC", "USDT"}
    assert fees == fees_of(world.store.intents_of_bot("trend"))


def test_days_follow_the_budgets_time_zone(world: World) -> None:
    world.store.replace(replace(world.money(), time_zone="Pacific/Auckland"))
    trade(world, sells_at="110")
    assert [day.day for day in reader(world).of_budget(BUDGET).days] == ["2026-01-06"]


def test_an_open_position_is_unrealised(world: World) -> None:
    buy(world)
    quantity, cost = world.slot().quantity, world.slot().cost
    assert reader(world).of_bot("trend").unrealised is None, "without a price nothing is invented"
    looked(world, {MARKET: "110"})
    found = reader(world).of_bot("trend")
    assert found.open_positions == 1
    assert (found.unrealised, found.priced_at) == (quantity * 110 - cost, world.clock.now())
    assert reader(world).of_budget(BUDGET).unrealised == found.unrealised
    world.clock.forward(seconds=301)
    late = reader(world).of_bot("trend")
    assert (late.unrealised, late.priced_at) == (None, None), "a price of five minutes ago is none"


def test_paper_and_live_are_never_one(world: World) -> None:
    world.store.insert(PAPER)
    with pytest.raises(RequestRefusedError, match="one mode, were live and paper"):
        reader(world).of_accounts("live-binance-main", PAPER.account_id)


def test_currencies_are_never_added(world: World) -> None:
    world.store.insert(replace(PAPER, account_id="live-binance-eur", mode=Mode.LIVE, currency="EUR"))
    with pytest.raises(RequestRefusedError, match="one currency, were EUR and USDT"):
        reader(world).of_accounts("live-binance-main", "live-binance-eur")


def test_an_account_without_budgets_has_nothing(world: World) -> None:
    world.store.insert(PAPER)
    assert reader(world).of_account(PAPER.account_id).trades == 0


def test_what_does_not_exist(world: World) -> None:
    for ask in (reader(world).of_bot, reader(world).of_budget, reader(world).of_account):
        with pytest.raises(NotFoundError, match="'ghost' does not exist"):
            ask("ghost")
    with pytest.raises(RequestRefusedError, match="at least one"):
        reader(world).of_accounts()


def test_the_ledger_is_read_page_by_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    trade(world, sells_at="110")
    trade(world, sells_at="110")
    whole = reader(world).of_budget(BUDGET)
    monkeypatch.setattr(statistics, "_PAGE", 2)
    assert reader(world).of_budget(BUDGET) == whole


def test_another_bots_trades_on_the_same_budget_are_not_mine(world: World) -> None:
    trade(world, sells_at="110")
    world.store.insert(replace(world.bot, bot_id="other"))
    assert reader(world).of_bot("other").trades == 0


def test_funds_are_no_profit() -> None:
    store = MemoryStore()
    world = World(store)
    store.insert(replace(PAPER))
    made = budget(budget_id="paper-binance-main-b", account_id=PAPER.account_id)
    store.commit(open_budget(made, request_id="open", now=world.clock.now()))
    found = reader(world).of_budget("paper-binance-main-b")
    assert (found.realised, found.mode) == (0, Mode.PAPER)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([], (0, 0)),
        ([10, 10], (0, 0)),
        ([-10], (10, 10)),
        ([50, -30, 10, -15], (35, Decimal("23.33"))),
        ([-10, 20, -10], (10, 10)),
    ],
)
def test_drawdown(changes: list[int], expected: tuple[Decimal, Decimal]) -> None:
    assert drawdown_of(map(Decimal, changes), funds=Decimal(100)) == expected


def test_a_drawdown_of_nothing_is_no_per_cent() -> None:
    assert drawdown_of([Decimal(-1)], funds=Decimal(0)) == (1, 0)


def test_unrealised_of_several_positions() -> None:
    other = held(market_key="binance|ETH/USDT", quantity=Decimal(2), cost=Decimal(50))
    prices = Prices(bids={MARKET: Decimal(90), "binance|ETH/USDT": Decimal(40)}, at=TICK)
    assert unrealised_of([held(), other], prices=prices) == 20
    assert unrealised_of([held(), other], prices=Prices(bids={MARKET: Decimal(90)}, at=TICK)) is None
    assert unrealised_of([], prices=Prices()) == 0


def test_fees_add_up() -> None:
    later = order(fills=(fill(fee=Decimal(2), fee_asset="BNB"), fill(fee=Decimal("0.5"))))
    assert fees_of([order(), later]) == {"BNB": 2, "BTC": Decimal("0.501")}
