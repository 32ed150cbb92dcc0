"""The symbol filters a new order has to pass, in Binance's order.

Source: Binance spot REST docs, "Filters". All failures here are code -1013 (the request never reaches the matching
engine) except the limits on open orders, which the matching engine reports as -2010.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.exchange import errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from local.exchange.rules import MarketRules


def check_price(rules: MarketRules, price: Decimal) -> None:
    """PRICE_FILTER: min <= price <= max, a multiple of the tick size."""
    if not _within(price, rules.min_price, rules.max_price) or _off_step(price, rules.tick_size):
        raise errors.filter_failure("PRICE_FILTER")


def check_percent_price(rules: MarketRules, *, price: Decimal, buying: bool, average: Decimal) -> None:
    """PERCENT_PRICE_BY_SIDE: the price within a range around the average price, by side."""
    up = rules.bid_multiplier_up if buying else rules.ask_multiplier_up
    down = rules.bid_multiplier_down if buying else rules.ask_multiplier_down
    if not average * down <= price <= average * up:
        raise errors.filter_failure("PERCENT_PRICE_BY_SIDE")


def check_quantity(rules: MarketRules, quantity: Decimal, *, market_order: bool) -> None:
    """LOT_SIZE for every order, MARKET_LOT_SIZE for market orders on top."""
    if not rules.min_quantity <= quantity <= rules.max_quantity or _off_step(quantity, rules.step_size):
        raise errors.filter_failure("LOT_SIZE")
    if market_order and (
        not rules.market_min_quantity <= quantity <= rules.market_max_quantity
        or _off_step(quantity, rules.market_step_size)
    ):
        raise errors.filter_failure("MARKET_LOT_SIZE")


def check_notional(rules: MarketRules, notional: Decimal, *, market_order: bool) -> None:
    """NOTIONAL: price times quantity within its range; for market orders only the parts that apply to them."""
    too_small = notional < rules.min_notional and (not market_order or rules.apply_min_to_market)
    too_large = notional > rules.max_notional and (not market_order or rules.apply_max_to_market)
    if too_small or too_large:
        raise errors.filter_failure("NOTIONAL")


def check_open_orders(rules: MarketRules, *, open_orders: int, stop_orders: Callable[[], int], stop: bool) -> None:
    """MAX_NUM_ORDERS and MAX_NUM_ALGO_ORDERS: open orders of the account on the symbol, before the new one."""
    if open_orders >= rules.max_open_orders:
        raise errors.order_rejected("Filter failure: MAX_NUM_ORDERS")
    if stop and stop_orders() >= rules.max_stop_orders:
        raise errors.order_rejected("Filter failure: MAX_NUM_ALGO_ORDERS")


def _within(value: Decimal, least: Decimal, most: Decimal) -> bool:
    """Bounds of 0 are switched off."""
    return value >= least and (most == 0 or value <= most)


def _off_step(value: Decimal, step: Decimal) -> bool:
    return step != 0 and value % step != 0
