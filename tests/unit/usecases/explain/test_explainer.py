"""The whole walk: requests made, what a healthy bot is told, and one screen whatever there is to say."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from surefill.adapters.memory import MemoryStore
from surefill.domain.kinds import BotState
from surefill.domain.reasons import Reason
from surefill.domain.records import ScheduleRow
from surefill.domain.rows import Bot, Slot
from surefill.domain.states import SlotState
from surefill.usecases.control.errors import NotFoundError, RequestRefusedError
from surefill.usecases.explain import Explainer, Explanation, LinkName, LinkState, Story, told
from surefill.usecases.explain.making import fine, said
from surefill.usecases.explain.telling import LINES
from tests.fakes.rows import MARKET, OWNER, TICK
from tests.fakes.world import World


class CountingStore(MemoryStore):
    """Counts reads, and fails on one table when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()
        self.broken: type | None = None
        self.counting = False

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        reads = ("get", "get_many", "slots_of_market", "intents_of_bot", "journal_of", "page", "all_rows")
        if name in reads and super().__getattribute__("counting"):
            return lambda *args, **named: self._count(name, found, *args, **named)
        return found

    def _count(self, name: str, read: Any, *args: Any, **named: Any) -> Any:
        if self.broken in args or (self.broken is Slot and name == "slots_of_market"):
            raise RuntimeError("ResourceNotFoundException")
        self.asked[name] += 1
        self.counting = False
        try:
            return read(*args, **named)
        finally:
            self.counting = True


@pytest.fixture
def store() -> CountingStore:
    return CountingStore()


@pytest.fixture
def world(store: CountingStore) -> World:
    made = World(store)
    store.replace(ScheduleRow(schedule_name="dispatch", last_tick=TICK, finished_at=TICK))
    store.replace(Slot(market_key=MARKET, owner_key=OWNER, bot_id="trend", last_reason=Reason.HOLD))
    store.counting = True
    return made


def explainer(world: World) -> Explainer:
    return Explainer(store=world.store, clock=world.clock)


def test_a_healthy_bot_is_told_what_it_waits_for(world: World) -> None:
    explained = explainer(world).why("trend")
    assert explained.healthy
    assert explained.verdict.says == "signal: hold"
    lines = told(explained)
    assert lines[0] == "trend (live-binance-main, live) at 2026-01-05T12:00:00Z"
    assert any("next run at 2026-01-05T12:01:00Z" in line for line in lines)


def test_it_takes_eight_requests_and_never_reads_a_table_whole(world: World, store: CountingStore) -> None:
    explainer(world).why("trend")
    assert store.asked.total() == 8, store.asked
    assert store.asked["all_rows"] == 0


def test_each_further_symbol_is_one_more_request(world: World, store: CountingStore) -> None:
    store.replace(replace(world.bot, symbols=("BTC/USDT", "ETH/USDT", "SOL/USDT")))
    explainer(world).why("trend")
    assert store.asked.total() == 10, store.asked


def test_stops_are_read_only_when_something_is_off(world: World, store: CountingStore) -> None:
    explainer(world).why("trend")
    assert store.asked["page"] == 0
    store.replace(replace(world.bot, state=BotState.PAUSED))
    explainer(world).why("trend")
    assert store.asked["page"] > 0


def test_one_symbol_only(world: World, store: CountingStore) -> None:
    store.replace(replace(world.bot, symbols=("BTC/USDT", "ETH/USDT")))
    explained = explainer(world).why("trend", "ETH/USDT")
    assert [story.symbol for story in explained.stories] == ["ETH/USDT"]


def test_a_bot_that_does_not_exist(world: World) -> None:
    with pytest.raises(NotFoundError, match="'ghost' does not exist"):
        explainer(world).why("ghost")


def test_a_symbol_the_bot_does_not_trade(world: World) -> None:
    with pytest.raises(RequestRefusedError, match="symbol must be one of BTC/USDT"):
        explainer(world).why("trend", "DOGE/USDT")


@pytest.mark.parametrize("row", [Bot, Slot, ScheduleRow])
def test_a_table_that_can_not_be_read_is_the_answer(world: World, store: CountingStore, row: Any) -> None:
    store.broken = row
    explained = explainer(world).why("trend")
    assert explained.verdict.reason is Reason.TABLE_UNREADABLE
    assert f"health: table {row.TABLE} can't be read" in told(explained)[1]


def test_rungs_that_hold_something_have_a_story_of_their_own(world: World, store: CountingStore) -> None:
    for name, state in (("level1", SlotState.OPENING), ("level2", SlotState.EMPTY)):
        store.replace(Slot(market_key=MARKET, owner_key=f"{OWNER}|{name}", rung=name, state=state))
    store.replace(Slot(market_key=MARKET, owner_key=f"{OWNER}x|level9", rung="level9", state=SlotState.OPEN))
    assert [story.rung for story in explainer(world).why("trend").stories] == [None, "level1"]


def story(symbol: str, *, stops: Reason | None = None) -> Story:
    links = [fine(name, f"{name}: fine", evidence={"number": "1"}) for name in LinkName]
    if stops is not None:
        link = said(stops, {}, since=TICK, evidence={f"number {index}": "x" * 30 for index in range(20)})
        links[list(LinkName).index(link.name)] = link
    return Story(symbol=symbol, links=tuple(links))


@pytest.mark.parametrize("count", [1, 2, 9, 100])
@pytest.mark.parametrize("stops", [None, Reason.DATA_STALE])
def test_it_fits_one_screen(count: int, stops: Reason | None) -> None:
    stories = tuple(story(f"COIN{index}/USDT", stops=stops) for index in range(count))
    lines = told(Explanation(bot_id="trend", at=TICK, stories=stories, account_id="live-binance-main"))
    assert len(lines) <= LINES
    assert max(map(len, lines)) <= 118
    if count == 100:
        assert lines[-1].startswith("and ")


def test_the_story_that_stopped_first_is_told() -> None:
    stories = (story("A/B"), story("C/D", stops=Reason.BUDGET_TOO_SMALL), story("E/F", stops=Reason.DATA_STALE))
    explained = Explanation(bot_id="trend", at=TICK, stories=stories)
    assert explained.story.symbol == "E/F"
    assert told(explained)[1].startswith("STOPPED  E/F: data: last candle")


def test_of_several_that_wait_the_furthest_tells_most() -> None:
    waiting = [fine(name, name) for name in LinkName]
    waiting[2] = replace(waiting[2], state=LinkState.WAITING)
    waiting[8] = replace(waiting[8], state=LinkState.WAITING)
    assert Story(symbol="A/B", links=tuple(waiting)).verdict.name is LinkName.EXIT
