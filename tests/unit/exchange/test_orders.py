"""Orders through real ccxt: every type, fees, partial fills, cancels, look-ups."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import ccxt
import pytest

from local.exchange.book import BookShape
from local.exchange.settings import MarketSettings
from tests.unit.exchange.helpers import (
    ListedCandles,
    admin,
    client,
    coin_exchange,
    coin_rules,
    jump,
)

if TYPE_CHECKING:
    from local.exchange.core import Exchange

SYMBOL = "COIN/USDT"


def free(exchange: Exchange, asset: str, account: str = "main") -> Decimal:
    return exchange.state.ledger.accounts[account].balance(asset).free


def locked(exchange: Exchange, asset: str) -> Decimal:
    return exchange.state.ledger.accounts["main"].balance(asset).locked


def raw(binance: Any, **parameters: object) -> dict[str, Any]:
    answer: dict[str, Any] = binance.private_post_order({"symbol": "COINUSDT", **parameters})
    return answer


def test_market_buy_fills_at_the_ask_and_pays_the_fee_in_base() -> None:
    exchange = coin_exchange()
    order = client(exchange).create_order(SYMBOL, "market", "buy", 2, params={"clientOrderId": "buy-1"})
    assert (order["status"], order["filled"], order["average"], order["cost"]) == ("closed", 2, 100.01, 200.02)
    assert order["clientOrderId"] == "buy-1"
    assert order["fee"] == {"currency": "COIN", "cost": 0.002}
    assert free(exchange, "COIN") == Decimal("51.998")
    assert free(exchange, "USDT") == Decimal("9799.98")


def test_market_sell_pays_the_fee_in_quote() -> None:
    exchange = coin_exchange()
    order = client(exchange).create_order(SYMBOL, "market", "sell", 2)
    assert (order["average"], order["fee"]) == (99.99, {"currency": "USDT", "cost": 0.19998})
    assert free(exchange, "USDT") == Decimal("10199.78002")


def test_market_order_walks_the_levels() -> None:
    exchange = coin_exchange()
    order = client(exchange).create_order(SYMBOL, "market", "buy", 15)
    assert [(t["price"], t["amount"]) for t in order["trades"]] == [(100.01, 9.999), (100.03, 5.001)]
    assert order["status"] == "closed"
    assert len({t["id"] for t in order["trades"]}) == 2


def test_market_order_beyond_the_book_expires_with_what_it_got() -> None:
    exchange = coin_exchange(shape=BookShape(depth=Decimal(1_000), levels=2))
    order = client(exchange).create_order(SYMBOL, "market", "buy", 50)
    assert order["status"] == "expired"
    assert 19 < order["filled"] < 20
    assert locked(exchange, "USDT") == 0


def test_market_buy_by_quote_spends_at_most_that() -> None:
    exchange = coin_exchange()
    order = client(exchange).create_market_buy_order_with_cost(SYMBOL, 250)
    assert order["status"] == "closed"
    assert order["filled"] == order["amount"] == 2.499
    assert order["cost"] == pytest.approx(249.92499)
    assert order["info"]["origQuoteOrderQty"] == "250.00000000"
    assert free(exchange, "USDT") == Decimal(10_000) - Decimal("249.92499")


def test_market_sell_by_quote_and_beyond_the_book() -> None:
    exchange = coin_exchange()
    order = client(exchange).create_market_sell_order_with_cost(SYMBOL, 250)
    assert (order["status"], order["filled"]) == ("closed", 2.5)
    deep = client(exchange).create_market_sell_order_with_cost(SYMBOL, 4_000)
    assert deep["status"] == "closed"
    exchange = coin_exchange(shape=BookShape(depth=Decimal(1_000), levels=1))
    order = client(exchange).create_market_sell_order_with_cost(SYMBOL, 4_000)
    assert (order["status"], order["filled"]) == ("expired", 10.001)
    assert locked(exchange, "COIN") == 0


def test_ioc_fills_only_up_to_its_limit() -> None:
    exchange = coin_exchange()
    order = client(exchange).create_order(SYMBOL, "limit", "buy", 15, 100.01, {"timeInForce": "IOC"})
    assert (order["status"], order["filled"], order["remaining"]) == ("expired", 9.999, 5.001)
    none = client(exchange).create_order(SYMBOL, "limit", "buy", 1, 99.5, {"timeInForce": "IOC"})
    assert (none["status"], none["filled"]) == ("expired", 0)
    assert locked(exchange, "USDT") == 0
    whole = client(exchange).create_order(SYMBOL, "limit", "sell", 1, 99.5, {"timeInForce": "IOC"})
    assert (whole["status"], whole["average"]) == ("closed", 99.99)


def test_fok_fills_all_or_nothing() -> None:
    exchange = coin_exchange()
    order = client(exchange).create_order(SYMBOL, "limit", "buy", 15, 100.01, {"timeInForce": "FOK"})
    assert (order["status"], order["filled"]) == ("expired", 0)


def test_gtc_rests_locks_and_fills_at_its_price_when_reached() -> None:
    exchange = coin_exchange(("100", "100", "97", "98"))
    binance = client(exchange)
    order = binance.create_order(SYMBOL, "limit", "buy", 10, 99)
    assert order["status"] == "open"
    assert locked(exchange, "USDT") == 990
    exchange.clock.advance(19_000)
    assert binance.fetch_order(order["id"], SYMBOL)["status"] == "open"
    exchange.clock.advance(1_000)  # a falling candle rises first, so the low comes at 40 s
    assert binance.fetch_order(order["id"], SYMBOL)["status"] == "open"
    exchange.clock.advance(3_600_000)
    filled = binance.fetch_order(order["id"], SYMBOL)
    assert (filled["status"], filled["average"], filled["filled"]) == ("closed", 99, 10)
    trade = binance.fetch_my_trades(SYMBOL)[0]
    assert (trade["takerOrMaker"], trade["fee"]) == ("maker", {"currency": "COIN", "cost": 0.01})
    assert 20_000 < trade["timestamp"] - order["timestamp"] <= 40_000
    assert locked(exchange, "USDT") == 0


def test_marketable_gtc_fills_better_and_rests_with_the_remainder() -> None:
    exchange = coin_exchange()
    order = client(exchange).create_order(SYMBOL, "limit", "buy", 12, 100.01)
    assert (order["status"], order["filled"], order["remaining"]) == ("open", 9.999, 2.001)
    assert order["info"]["status"] == "PARTIALLY_FILLED"
    assert locked(exchange, "USDT") == Decimal("2.001") * Decimal("100.01")


def test_a_jump_fills_what_it_crosses_at_once() -> None:
    exchange = coin_exchange()
    binance = client(exchange)
    order = binance.create_order(SYMBOL, "limit", "sell", 5, 105)
    jump(exchange, "106")
    assert binance.fetch_order(order["id"], SYMBOL)["average"] == 105


def test_post_only_is_refused_when_it_would_take() -> None:
    binance = client(coin_exchange())
    with pytest.raises(ccxt.OrderImmediatelyFillable):
        binance.create_order(SYMBOL, "limit", "buy", 1, 101, {"postOnly": True})
    order = binance.create_order(SYMBOL, "limit", "buy", 1, 99, {"postOnly": True})
    assert binance.fetch_order(order["id"], SYMBOL)["postOnly"]


def test_stop_loss_triggers_and_sells_at_the_market() -> None:
    exchange = coin_exchange()
    binance = client(exchange)
    order = binance.create_order(SYMBOL, "market", "sell", 5, params={"stopLossPrice": 98})
    waiting = binance.fetch_order(order["id"], SYMBOL)
    assert (waiting["status"], waiting["triggerPrice"], waiting["info"]["isWorking"]) == ("open", 98, False)
    assert locked(exchange, "COIN") == 5
    jump(exchange, "97")
    done = binance.fetch_order(order["id"], SYMBOL)
    assert (done["status"], done["average"]) == ("closed", 96.99)
    with pytest.raises(ccxt.OrderImmediatelyFillable):
        binance.create_order(SYMBOL, "market", "sell", 5, params={"stopLossPrice": 98})


def test_take_profit_limit_triggers_and_then_rests() -> None:
    exchange = coin_exchange()
    binance = client(exchange)
    order = binance.create_order(SYMBOL, "limit", "sell", 5, 106, {"takeProfitPrice": 105})
    jump(exchange, "105.50")
    resting = binance.fetch_order(order["id"], SYMBOL)
    assert (resting["status"], resting["info"]["isWorking"]) == ("open", True)
    jump(exchange, "106")
    assert binance.fetch_order(order["id"], SYMBOL)["average"] == 106


def test_stop_buy_spends_no_more_than_there_is() -> None:
    exchange = coin_exchange(balances={"USDT": "1030"})
    binance = client(exchange)
    order = binance.create_order(SYMBOL, "market", "buy", 10, params={"stopLossPrice": 102})
    assert locked(exchange, "USDT") == 1020
    jump(exchange, "110")
    done = binance.fetch_order(order["id"], SYMBOL)
    assert (done["status"], done["filled"]) == ("expired", 9.361)
    assert 0 <= free(exchange, "USDT") < 1


@pytest.mark.parametrize(
    ("kind", "reply", "keys"),
    [
        ("ACK", "ACK", {"orderId", "clientOrderId", "transactTime"}),
        ("RESULT", "RESULT", {"status", "executedQty", "cummulativeQuoteQty"}),
        ("FULL", "FULL", {"fills"}),
        ("default", None, {"fills"}),
    ],
)
def test_reply_types(kind: str, reply: str | None, keys: set[str]) -> None:
    request = {"side": "BUY", "type": "MARKET", "quantity": "1", **({"newOrderRespType": reply} if reply else {})}
    answer = raw(client(coin_exchange()), **request)
    assert keys <= set(answer)
    assert ("fills" in answer) == (kind in ("FULL", "default"))
    assert ("status" in answer) == (kind != "ACK")


def test_stop_orders_reply_with_an_acknowledgement_by_default() -> None:
    answer = raw(client(coin_exchange()), side="SELL", type="STOP_LOSS", quantity="1", stopPrice="90")
    assert set(answer) == {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"}


def test_a_test_order_is_checked_but_not_placed() -> None:
    exchange = coin_exchange()
    binance = client(exchange)
    binance.create_order(SYMBOL, "market", "buy", 1, params={"test": True})
    with pytest.raises(ccxt.BadRequest, match="NOTIONAL"):
        binance.create_order(SYMBOL, "market", "buy", 0.01, params={"test": True})
    assert exchange.state.engine.orders == {}


def test_balance_shows_free_and_locked() -> None:
    binance = client(coin_exchange())
    binance.create_order(SYMBOL, "limit", "buy", 10, 99)
    balance = binance.fetch_balance()
    assert balance["USDT"] == {"free": 9010, "used": 990, "total": 10000}
    assert balance["COIN"]["free"] == 50


def test_fees_in_bnb_get_the_discount_until_bnb_runs_out() -> None:
    bnb = MarketSettings("BNB/USDT", source=ListedCandles(flat="500"), start_price=Decimal(500))
    balances = {"USDT": "10000", "COIN": "10", "BNB": "0.0002"}
    exchange = coin_exchange(balances=balances, fees_in_bnb=True, more_markets=(bnb,))
    binance = client(exchange)
    order = binance.create_order(SYMBOL, "market", "buy", 1)
    assert order["fee"] == {"currency": "BNB", "cost": 0.00015001}
    assert binance.create_order(SYMBOL, "market", "buy", 1)["fee"] == {"currency": "COIN", "cost": 0.001}
    assert exchange.state.ledger.imbalance() == {}


def test_an_order_by_hand_and_a_withdrawal_show_in_the_account() -> None:
    exchange = coin_exchange()
    binance = client(exchange)
    placed = admin(
        exchange, "POST", "/admin/orders", {"symbol": "COINUSDT", "side": "SELL", "type": "MARKET", "quantity": "50"}
    )
    assert placed["status"] == "FILLED"
    assert binance.fetch_balance()["COIN"]["free"] == 0
    assert binance.fetch_orders(SYMBOL)[0]["id"] == str(placed["orderId"])
    admin(exchange, "POST", "/admin/balances", {"asset": "USDT", "change": "-1000"})
    admin(exchange, "POST", "/admin/balances", {"asset": "COIN", "free": 3})
    assert binance.fetch_balance()["COIN"]["free"] == 3
    assert exchange.state.ledger.imbalance() == {}
    resting = binance.create_order(SYMBOL, "limit", "sell", 1, 120)
    admin(exchange, "DELETE", "/admin/orders", {"order_id": int(resting["id"])})
    assert binance.fetch_order(resting["id"], SYMBOL)["status"] == "canceled"


def test_ten_satoshi_amounts_are_cut_not_rounded_up() -> None:
    rules = coin_rules(step_size="0.00001", min_quantity="0.00001", min_notional="0")
    exchange = coin_exchange(rules=rules)
    order = client(exchange).create_order(SYMBOL, "market", "buy", 0.00001)
    assert order["cost"] == 0.0010001
    assert order["fee"]["cost"] == 0.00000001
    assert exchange.state.ledger.imbalance() == {}
