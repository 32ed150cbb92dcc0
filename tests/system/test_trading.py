"""The deployed product from signal to closed position, and what it says when something outside is in its way."""

from surefill.domain.kinds import AccountState, Leg
from surefill.domain.rows import Account
from surefill.domain.states import IntentState
from tests.system.bench import OTHER_KEY, Bench


def test_a_signal_becomes_an_order_a_position_and_a_sale(bench: Bench) -> None:
    bot = bench.make_bot("whole_way", symbol="BTC/USDT")
    bench.open_position(bot)
    bench.close_position(bot, symbol="BTC/USDT")
    (entry,) = bench.intents(bot)
    (sale,) = bench.intents(bot, Leg.EXIT)
    assert entry.state is IntentState.FILLED
    assert sale.state is IntentState.FILLED
    assert sale.reason == "exit.take_profit"
    assert bench.posts(entry) == 1
    assert bench.posts(sale) == 1
    shown = bench.stage.api.get("bots", bot)
    assert [slot["state"] for slot in shown["slots"]] == ["EMPTY"]
    bench.stop_bot(bot)


def test_the_same_tick_twice_is_one_order(bench: Bench) -> None:
    # Starting the bot evaluates it at this very tick; dispatch hands the tick out twice more.
    bot = bench.make_bot("same_tick", symbol="ETH/USDT")
    first = bench.dispatch()
    second = bench.dispatch()
    assert first["messages"] == second["messages"]
    bench.stage.wait_until_quiet(timeout_seconds=30)
    (entry,) = bench.intents(bot)
    assert bench.posts(entry) == 1
    bench.stop_bot(bot)


def test_an_exchange_that_is_down_at_the_start_is_the_reason_that_is_given(bench: Bench) -> None:
    fault = {"kind": "connection_refused", "count": None}
    bench.stage.exchange.add_fault(**fault)
    bot = bench.make_bot("down_at_start", symbol="SOL/USDT")
    bench.tick_until(lambda: "venue.unavailable" in bench.reasons(bot))
    assert bench.intents(bot) == []
    bench.stage.exchange.clear_faults()
    bench.open_position(bot)
    bench.stop_bot(bot)


def test_rejected_credentials_stop_entries_and_say_so(bench: Bench) -> None:
    key, secret, _ = OTHER_KEY
    account = bench.make_account("other", key=key, secret=secret)
    bench.stage.exchange.add_fault(kind="revoke_key", api_key=key)
    bot = bench.make_bot("rejected", symbol="ADA/USDT", account=account, cooldown_seconds=0)
    bench.tick_until(lambda: "account.credentials_rejected" in bench.reasons(bot))
    stored = bench.stage.store.get(Account, account)
    assert stored is not None
    assert stored.state is AccountState.AUTH_FAILED
    assert all(intent.state is IntentState.VOID for intent in bench.intents(bot))
    bench.stage.exchange.clear_faults()
    # The next sync of the account finds the key working again.
    bench.tick_until(lambda: bench.slot(bot).quantity > 0, ticks=15)
    bench.stop_bot(bot)
