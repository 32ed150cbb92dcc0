"""What is found by which index, in which order, and what has left it."""

from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

import pytest

from surefill.domain.kinds import BotState, Mode, Scope, Side, StopKind
from surefill.domain.reasons import Reason
from surefill.domain.records import PastTrade, Stop
from surefill.domain.rows import Account, Bot, Budget, Intent, JournalEntry, Row, Slot
from surefill.domain.states import IntentState
from surefill.domain.times import sortable
from surefill.listings import (
    ACCOUNTS_OF_VENUE,
    BOTS_OF_ACCOUNT,
    BOTS_OF_DEFINITION,
    INTENTS_OF_BOT,
    JOURNAL_OF_BOT,
    LEDGER_OF_BUDGET,
    OPEN_SLOTS,
    STOPS_OF_SCOPE,
    TRADES_OF_ACCOUNT,
    UNFINISHED_INTENTS,
    Listing,
)
from surefill.ports import Store
from surefill.protocol.entry import claim_entry, record_entry, release_entry
from surefill.protocol.exit import claim_exit, record_exit
from surefill.protocol.order import look_again, send_gate
from surefill.protocol.parts import OPEN, WORK
from surefill.protocol.transaction import Guard, GuardFailedError, Key, Op, Update
from tests.contract.world import World, at, fill, result_of, send, slot_of

AnyRow = TypeVar("AnyRow", bound=Row)


def test_only_bots_with_a_cadence_are_found_by_it(store: Store) -> None:
    worlds = [World() for _ in range(3)]
    bots = [worlds[0].bot(), worlds[1].bot(cadence_key="300"), worlds[2].bot(state=BotState.PAUSED, cadence_key=None)]
    for bot in bots:
        store.insert(bot)
    assert list(store.bots_of_cadence("60")) == [bots[0]]
    assert list(store.bots_of_cadence("300")) == [bots[1]]
    store.replace(replace(bots[0], state=BotState.HALTED, cadence_key=None))
    assert list(store.bots_of_cadence("60")) == []
    assert {bot.bot_id for bot in store.all_rows(Bot)} == {bot.bot_id for bot in bots}


def test_a_slot_is_open_from_claim_to_sale(store: Store, world: World) -> None:
    entry = world.entry()
    send(store, entry)
    key = ("binance|BTC/USDT", f"{world.account_id}|{world.bot_id}")
    assert list(store.open_slot_keys()) == [key]
    bought = result_of(entry, fill(1, quantity="0.0016", price="60000"))
    store.commit(record_entry(entry, result=bought, take_profit=None, stop_loss=None, now=at(4)))
    slot = slot_of(store, entry)
    sale = world.exit(slot)
    store.commit(claim_exit(sale))
    store.update(send_gate(sale, worker="w", now=at(61)))
    assert list(store.open_slot_keys()) == [key]
    sold = result_of(sale, fill(2, quantity="0.0016", price="61000"))
    store.commit(record_exit(sale, slot=slot_of(store, sale), result=sold, sellable=True, now=at(63)))
    assert list(store.open_slot_keys()) == []
    assert [slot.owner_key for slot in store.slots_of_market("binance|BTC/USDT")] == [key[1]]


def test_unfinished_intents_are_found_when_due_oldest_first(store: Store, world: World) -> None:
    first, second, third = (world.entry(symbol=f"A{n}/USDT", tick=at(60 * n)) for n in range(3))
    for intent in (third, first, second):
        send(store, intent)
    ids = [first.intent_id, second.intent_id, third.intent_id]
    assert list(store.unfinished_intents(due_until=None)) == ids
    assert list(store.unfinished_intents(due_until=None, limit=2)) == ids[:2]
    assert list(store.unfinished_intents(due_until=at(90))) == ids[:2]
    assert list(store.unfinished_intents(due_until=at(29))) == []
    store.update(look_again(first, at=at(600)))
    assert list(store.unfinished_intents(due_until=None)) == [*ids[1:], ids[0]]
    store.commit(release_entry(second, to=IntentState.EMPTY, outcome=Reason.NOT_FILLED, now=at(100)))
    assert list(store.unfinished_intents(due_until=None)) == [ids[2], ids[0]]


def test_the_newest_intents_of_a_bot_come_first(store: Store, world: World) -> None:
    intents = [world.entry(symbol=f"A{n}/USDT", tick=at(60 * n), reserved="1") for n in range(4)]
    # Half a second apart within one second: text order must be time order.
    intents.append(replace(world.entry(symbol="B/USDT", tick=at(240), reserved="1"), created_at=at(240)))
    intents.append(replace(world.entry(symbol="C/USDT", tick=at(241), reserved="1"), created_at=at(240.5)))
    for intent in intents:
        store.commit(claim_entry(intent))
    assert list(store.intents_of_bot(world.bot_id)) == intents[::-1]
    assert list(store.intents_of_bot(world.bot_id, limit=2)) == intents[:-3:-1]
    assert list(store.intents_of_bot("nobody")) == []


def test_the_newest_journal_entries_come_first(store: Store, world: World) -> None:
    entries = [
        JournalEntry(
            bot_id=world.bot_id,
            entry_key=f"2026-11-20T09:0{n}:00Z#decision#BTC/USDT",
            at=at(60 * n),
            kind="decision",
            symbol="BTC/USDT",
            reason=Reason.HOLD,
            numbers={"ema": "1.5"},
            expires_at=1_800_000_000,
        )
        for n in range(3)
    ]
    for entry in entries:
        store.insert(entry)
    assert list(store.journal_of(world.bot_id)) == entries[::-1]
    assert list(store.journal_of(world.bot_id, limit=1)) == entries[-1:]


def test_budgets_are_found_by_account(store: Store) -> None:
    worlds = [World() for _ in range(3)]
    for world in worlds:
        world.settle_in(store)
    other = worlds[0].budget(budget_id="other", account_id="paper-binance-a")
    store.replace(other)
    found = list(store.budgets_of_account("live-binance-main"))
    assert {budget.budget_id for budget in found} == {world.budget_id for world in worlds}
    assert list(store.budgets_of_account("paper-binance-a")) == [other]


def test_many_rows_are_read_at_once_and_missing_ones_left_out(store: Store) -> None:
    budgets = [World().budget(available=Decimal(n)) for n in range(130)]
    for budget in budgets:
        store.replace(budget)
    keys = [(budget.budget_id,) for budget in budgets]
    found = store.get_many(Budget, [*keys, ("nobody",), keys[0]])
    assert sorted(budget.available for budget in found) == [Decimal(n) for n in range(130)]
    assert store.get_many(Intent, []) == []


def test_everything_of_a_small_table_is_listed(store: Store) -> None:
    accounts = [
        Account(account_id=f"paper-binance-{n}", venue="binance", mode=Mode.PAPER, currency="USDT") for n in range(3)
    ]
    for account in accounts:
        store.insert(account)
    assert sorted(store.all_rows(Account), key=lambda account: account.account_id) == accounts
    assert list(store.all_rows(Budget)) == []


@pytest.mark.parametrize("values", [(), ("a", "b"), ("",)])
def test_a_key_that_is_none_is_refused(store: Store, values: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="must give budget_id"):
        store.get(Budget, *values)


def _all_pages(store: Store, listing: Listing[AnyRow], of: str, *, limit: int) -> list[list[AnyRow]]:
    pages, after = [], None
    while True:
        page = store.page(listing, of, limit=limit, after=after)
        pages.append(list(page.rows))
        if page.next is None:
            return pages
        after = page.next


def test_bots_and_accounts_are_listed_page_by_page(store: Store) -> None:
    bots = [World(name=f"b{n}").bot(account_id="paper-binance-a") for n in range(5)]
    for bot in [*reversed(bots), World(name="c").bot(account_id="paper-binance-b")]:
        store.insert(bot)
    assert _all_pages(store, BOTS_OF_ACCOUNT, "paper-binance-a", limit=2) == [bots[:2], bots[2:4], bots[4:]]
    assert _all_pages(store, BOTS_OF_ACCOUNT, "paper-binance-a", limit=5) == [bots]
    assert _all_pages(store, BOTS_OF_ACCOUNT, "nobody", limit=5) == [[]]
    assert _all_pages(store, BOTS_OF_DEFINITION, bots[0].definition_hash, limit=1)[0] == bots[:1]
    account = Account(account_id="paper-binance-a", venue="binance", mode=Mode.PAPER, currency="USDT")
    store.insert(account)
    assert _all_pages(store, ACCOUNTS_OF_VENUE, "binance", limit=1) == [[account]]
    assert _all_pages(store, ACCOUNTS_OF_VENUE, "kraken", limit=1) == [[]]


def test_a_page_goes_on_where_the_last_one_ended_whatever_came_meanwhile(store: Store, world: World) -> None:
    intents = [world.entry(symbol=f"A{n}/USDT", tick=at(60 * n), reserved="1") for n in range(6)]
    for intent in intents[:5]:
        store.commit(claim_entry(intent))
    first = store.page(INTENTS_OF_BOT, world.bot_id, limit=2)
    store.commit(claim_entry(intents[5]))
    second = store.page(INTENTS_OF_BOT, world.bot_id, limit=2, after=first.next)
    third = store.page(INTENTS_OF_BOT, world.bot_id, limit=2, after=second.next)
    assert [*first.rows, *second.rows, *third.rows] == intents[4::-1]
    assert third.next is None
    assert list(store.page(INTENTS_OF_BOT, world.bot_id, limit=1).rows) == intents[5:]


def test_open_slots_and_work_are_listed_page_by_page(store: Store, world: World) -> None:
    intents = [world.entry(symbol=f"A{n}/USDT", tick=at(60 * n), reserved="1") for n in range(3)]
    for intent in intents:
        store.commit(claim_entry(intent))
    slots = [slot_of(store, intent) for intent in intents]
    assert _all_pages(store, OPEN_SLOTS, OPEN, limit=2) == [slots[:2], slots[2:]]
    assert _all_pages(store, UNFINISHED_INTENTS, WORK, limit=2) == [intents[:2], intents[2:]]
    store.commit(release_entry(intents[0], to=IntentState.VOID, outcome=Reason.NEVER_SENT, now=at(100)))
    assert _all_pages(store, OPEN_SLOTS, OPEN, limit=2) == [slots[1:]]
    assert len(_all_pages(store, LEDGER_OF_BUDGET, world.budget_id, limit=2)) == 3


def test_history_is_listed_page_by_page(store: Store, world: World) -> None:
    entries = [
        JournalEntry(
            bot_id=world.bot_id, entry_key=f"2026-11-20T09:0{n}:00Z#decision#BTC/USDT", at=at(60 * n), kind="decision",
            symbol="BTC/USDT", reason=Reason.HOLD,
        )
        for n in range(5)
    ]  # fmt: skip
    store.journal(entries)
    assert _all_pages(store, JOURNAL_OF_BOT, world.bot_id, limit=2) == [entries[4:2:-1], entries[2:0:-1], entries[:1]]
    stops = [
        Stop(
            scope=Scope.ALL, stop_id=f"all-{n}", kind=StopKind.FREEZE, target="all", who="me", why="test", at=at(n),
            bots={"a": "ACTIVE"}, budgets=("b",),
        )
        for n in range(3)
    ]  # fmt: skip
    for stop in stops:
        store.insert(stop)
    assert _all_pages(store, STOPS_OF_SCOPE, Scope.ALL, limit=2) == [stops[:0:-1], stops[:1]]


def test_trades_of_an_account_are_listed_newest_first_and_the_same_one_once(store: Store, world: World) -> None:
    trades = [
        PastTrade(
            account_id=account, trade_key=f"{sortable(at(n))}#BTC/USDT#{n}", symbol="BTC/USDT", at=at(n), side=Side.BUY,
            quantity=Decimal("0.01"), price=Decimal(60_000), cost=Decimal(600), fee=Decimal("0.00001"), fee_asset="BTC",
            venue_order_id="7", trade_id=str(n), ours="a" * 32 if n else None,
        )
        for account in (world.account_id, "live-binance-other")
        for n in range(3)
    ]  # fmt: skip
    for trade in [*trades, *trades]:
        store.replace(trade)
    assert _all_pages(store, TRADES_OF_ACCOUNT, world.account_id, limit=2) == [[trades[2], trades[1]], trades[:1]]


@pytest.mark.parametrize("imports", [{}, {"BTC/USDT": "2026-01-01T00:00:00.000Z"}])
def test_imports_change_only_from_what_was_read(store: Store, world: World, imports: dict[str, str]) -> None:
    account = Account(
        account_id=world.account_id, venue="binance", mode=Mode.LIVE, currency="USDT", imports=imports,
        clock_skew_ms=-300, secret_ok=False,
    )  # fmt: skip
    store.insert(account)

    def change(before: dict[str, str]) -> Row:
        same = Guard(name="same", field="imports", op=Op.EQUAL, value=before, or_missing=not before)
        key = Key(Account, (world.account_id,))
        return store.update(Update(key=key, set={"imports": {"ETH/USDT": "x"}}, guards=(same,)))

    with pytest.raises(GuardFailedError):
        change({"BTC/USDT": "another time"})
    assert store.get(Account, world.account_id) == account
    assert change(imports) == replace(account, imports={"ETH/USDT": "x"})


def test_the_places_of_one_owner_are_found_with_their_rungs(store: Store) -> None:
    owners = ["a|trend", "a|trend|r1", "a|trend|r2", "a|trend2", "a|t"]
    for owner in owners:
        store.replace(Slot(market_key="binance|BTC/USDT", owner_key=owner))
    for consistent in (False, True):
        found = store.slots_of_market("binance|BTC/USDT", owner="a|trend", consistent=consistent)
        assert [slot.owner_key for slot in found] == owners[:3]
    assert len(list(store.slots_of_market("binance|BTC/USDT", consistent=True))) == 5
