"""Reading past trades: page by page, going on where an earlier run ended, each trade once."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from surefill.domain.kinds import Side
from surefill.domain.orders import TradePage, VenueError, VenueTrade
from surefill.domain.reasons import Reason
from surefill.domain.records import PastTrade
from surefill.domain.rows import Account, Fill
from surefill.domain.times import sortable
from surefill.events import ImportRequest
from surefill.listings import TRADES_OF_ACCOUNT
from surefill.protocol.transaction import Key, Update
from surefill.usecases.import_trades import TIME, TradeImport
from tests.fakes.orders import entry_of
from tests.fakes.ports import FakeClock
from tests.fakes.rows import TICK
from tests.fakes.world import World

ACCOUNT = "live-binance-main"
START = TICK - timedelta(days=40)


@dataclass
class FakeHistory:
    """A venue that shows at most two trades, or one empty day, to a request."""

    trades: Sequence[VenueTrade]
    clock: FakeClock
    error: VenueError | None = None
    asked: list[tuple[str, datetime]] = field(default_factory=list)
    seconds: float = 0

    def history_of(self, account: Account) -> "FakeHistory":
        return self

    def past_trades(self, *, symbol: str, since: datetime, limit: int) -> TradePage:
        self.asked.append((symbol, since))
        self.clock.forward(seconds=self.seconds)
        if self.error:
            raise self.error
        until = since + timedelta(days=1)
        found = [trade for trade in self.trades if trade.symbol == symbol and since <= trade.at < until]
        if len(found) > 2:
            return TradePage(trades=tuple(found[:2]), next_since=found[1].at)
        return TradePage(trades=tuple(found), next_since=until if until <= TICK else None)


def trade(number: int, *, hours: float, symbol: str = "BTC/USDT", client_order_id: str | None = "web_1") -> VenueTrade:
    fill = Fill(
        trade_id=str(number), quantity=Decimal("0.01"), price=Decimal(60_000), cost=Decimal(600), fee=Decimal(1),
        fee_asset="USDT",
    )  # fmt: skip
    return VenueTrade(
        symbol=symbol, side=Side.SELL, at=START + timedelta(hours=hours), venue_order_id="7",
        client_order_id=client_order_id, fill=fill,
    )  # fmt: skip


def request(*symbols: str, since: datetime = START) -> ImportRequest:
    return ImportRequest(account_id=ACCOUNT, symbols=symbols, since=since)


@pytest.fixture
def world() -> World:
    return World()


def importer(world: World, *trades: VenueTrade) -> tuple[TradeImport, FakeHistory]:
    history = FakeHistory(trades=trades, clock=world.clock)
    return (
        TradeImport(store=world.store, histories=history, clock=world.clock, observer=world.observer),
        history,
    )


def run(work: TradeImport) -> int:
    return work.go_on(until=work.clock.now() + TIME)


def kept(world: World) -> list[PastTrade]:
    return list(world.store.page(TRADES_OF_ACCOUNT, ACCOUNT, limit=100).rows)


def under_way(world: World) -> dict[str, str]:
    account = world.store.get(Account, ACCOUNT)
    assert account is not None
    return dict(account.imports)


def test_an_import_goes_on_at_the_next_run_until_it_is_done(world: World) -> None:
    work, history = importer(world, *(trade(n, hours=24 * n + 1) for n in range(40)))
    work.begin(request("BTC/USDT"))
    assert run(work) == 30
    assert under_way(world) == {"BTC/USDT": sortable(START + timedelta(days=30))}
    assert run(work) == 10
    assert (run(work), under_way(world)) == (0, {})
    assert [row.trade_id for row in kept(world)] == [str(n) for n in reversed(range(40))]
    assert len(history.asked) == len(set(history.asked)) == 41


def test_a_run_ends_when_its_time_is_up(world: World) -> None:
    work, history = importer(world)
    history.seconds = 10
    work.begin(request("BTC/USDT"))
    run(work)
    assert len(history.asked) == 3
    assert under_way(world) == {"BTC/USDT": sortable(START + timedelta(days=3))}


def test_a_trade_read_twice_is_one_row(world: World) -> None:
    work, _ = importer(world, *(trade(n, hours=1 + n) for n in range(5)))
    for _ in range(2):
        work.begin(request("BTC/USDT", since=START))
        while under_way(world):
            run(work)
    assert [row.trade_id for row in kept(world)] == ["4", "3", "2", "1", "0"]
    assert kept(world)[0] == PastTrade(
        account_id=ACCOUNT, trade_key=f"{sortable(START + timedelta(hours=5))}#BTC/USDT#4", symbol="BTC/USDT",
        at=START + timedelta(hours=5), side=Side.SELL, quantity=Decimal("0.01"), price=Decimal(60_000),
        cost=Decimal(600), fee=Decimal(1), fee_asset="USDT", venue_order_id="7", trade_id="4",
    )  # fmt: skip


def test_only_an_order_of_this_account_is_ours(world: World) -> None:
    ours = entry_of(world)
    other = replace(ours, intent_id="f" * 32, account_id="live-binance-other")
    world.store.insert(ours)
    world.store.insert(other)
    clients = (ours.intent_id, other.intent_id, "web_1", None)
    work, _ = importer(world, *(trade(n, hours=n, client_order_id=name) for n, name in enumerate(clients)))
    work.begin(request("BTC/USDT"))
    run(work)
    assert {row.trade_id: row.ours for row in kept(world)} == {"0": ours.intent_id, "1": None, "2": None, "3": None}


def test_a_venue_that_does_not_answer_is_asked_again_where_it_stopped(world: World) -> None:
    work, history = importer(world, trade(1, hours=1))
    work.begin(request("BTC/USDT", "ETH/USDT"))
    history.error = VenueError(Reason.VENUE_DOWN, "no answer")
    assert run(work) == 0
    assert len(history.asked) == 1
    assert under_way(world) == {"BTC/USDT": sortable(START), "ETH/USDT": sortable(START)}
    history.error = None
    assert run(work) == 1


def test_a_symbol_the_venue_does_not_know_is_left_out(world: World) -> None:
    work, history = importer(world)
    work.begin(request("OLD/USDT"))
    history.error = VenueError(Reason.NO_DATA, "no such symbol")
    run(work)
    assert under_way(world) == {}
    assert world.observer.reasons() == [Reason.NO_DATA]


def test_while_the_account_is_to_be_left_alone_nothing_is_asked(world: World) -> None:
    work, history = importer(world)
    work.begin(request("BTC/USDT"))
    later = world.clock.now() + timedelta(minutes=1)
    world.store.update(Update(key=Key(Account, (ACCOUNT,)), set={"retry_at": later}))
    run(work)
    assert history.asked == []
    world.clock.forward(minutes=2)
    run(work)
    assert history.asked


def test_a_second_request_adds_its_symbols_and_the_earlier_time_counts(world: World) -> None:
    work, _ = importer(world)
    work.begin(request("BTC/USDT", since=START + timedelta(days=3)))
    work.begin(request("BTC/USDT", "ETH/USDT", since=START + timedelta(days=1)))
    work.begin(request("BTC/USDT", since=START + timedelta(days=5)))
    day = sortable(START + timedelta(days=1))
    assert under_way(world) == {"BTC/USDT": day, "ETH/USDT": day}
