"""The synthetic order book around the current price, and what an order takes from it.

Binance's real book is not recorded, so each symbol gets a regular one: a spread in basis points, then levels at even
distances with the same worth of quote in each. Own orders do not use it up and do not move the price.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Any

from local.exchange.money import ZERO, finite, floor_to_step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.exchange.rules import MarketRules

_BASIS_POINTS = Decimal(10_000)
# What one level is worth by default, by quote asset; anything else counts as a dollar.
_DEFAULT_DEPTH = {"BTC": Decimal("0.8"), "ETH": Decimal(15), "BNB": Decimal(80)}


@dataclass(frozen=True, slots=True)
class BookShape:
    """`spread_bps` between best bid and ask, `level_bps` between levels, `depth` in quote per level."""

    spread_bps: Decimal = Decimal(2)
    level_bps: Decimal = Decimal(2)
    levels: int = 20
    depth: Decimal = Decimal(50_000)

    def __post_init__(self) -> None:
        if self.spread_bps < 0 or self.level_bps <= 0 or self.levels < 0 or self.depth < 0:
            raise ValueError(f"book needs a spread, level distance above 0, levels and depth of at least 0, was {self}")
        if self.spread_bps / 2 + self.level_bps * self.levels >= _BASIS_POINTS:
            raise ValueError(f"book must not reach down to a price of 0, was {self}")

    def changed(self, changes: Mapping[str, object]) -> BookShape:
        """The same book with some fields replaced. Raises ValueError on unknown fields and wrong values."""
        known = {field.name for field in fields(self)}
        unknown = sorted(set(changes) - known)
        if unknown:
            raise ValueError(f"unknown book fields {', '.join(unknown)}, expected some of {', '.join(sorted(known))}")
        typed: dict[str, Any] = {name: finite(name, value) for name, value in changes.items()}
        if "levels" in typed:
            typed["levels"] = int(typed["levels"])
        return replace(self, **typed)


def default_shape(quote: str) -> BookShape:
    """A liquid book for that quote asset."""
    return BookShape(depth=_DEFAULT_DEPTH.get(quote, Decimal(50_000)))


@dataclass(frozen=True, slots=True)
class Level:
    """`quantity` of base at `price`."""

    price: Decimal
    quantity: Decimal


def book_side(*, shape: BookShape, rules: MarketRules, price: Decimal, asks: bool) -> Iterator[Level]:
    """The levels of one side, best first, on ticks and steps."""
    rounding = ROUND_CEILING if asks else ROUND_FLOOR
    sign = 1 if asks else -1
    last: Decimal | None = None
    for number in range(shape.levels):
        distance = shape.spread_bps / 2 + shape.level_bps * number
        level = _to_tick(price * (_BASIS_POINTS + sign * distance) / _BASIS_POINTS, rules.tick_size, rounding)
        if last is not None and (level <= last if asks else level >= last):
            level = last + sign * rules.tick_size
        if level <= 0:
            return
        last = level
        quantity = floor_to_step(shape.depth / level, rules.step_size)
        if quantity > 0:
            yield Level(level, quantity)


def take(levels: Iterator[Level], *, buying: bool, quantity: Decimal, limit: Decimal | None = None) -> list[Level]:
    """The fills of a marketable order of `quantity` base, no worse than `limit`."""
    fills: list[Level] = []
    for level in levels:
        if limit is not None and (level.price > limit if buying else level.price < limit):
            break
        taken = min(level.quantity, quantity)
        fills.append(Level(level.price, taken))
        quantity -= taken
        if not quantity:
            break
    return fills


def take_worth(levels: Iterator[Level], *, worth: Decimal, step: Decimal) -> tuple[list[Level], bool]:
    """The fills of a market order for `worth` quote, and whether the book was deep enough.

    Rule (Binance spot REST docs, New order): a quoteOrderQty order executes a quantity on the step whose notional
    is as close as possible to it, without going over.
    """
    fills: list[Level] = []
    for level in levels:
        affordable = floor_to_step(worth / level.price, step)
        taken = min(level.quantity, affordable)
        if taken > 0:
            fills.append(Level(level.price, taken))
            worth -= taken * level.price
        if affordable <= level.quantity:
            return fills, True
    return fills, False


def quantity_of(fills: list[Level]) -> Decimal:
    """Base quantity of some fills."""
    return sum((fill.quantity for fill in fills), ZERO)


def _to_tick(price: Decimal, tick: Decimal, rounding: str) -> Decimal:
    if not tick:
        return price.quantize(Decimal("0.00000001"), rounding)
    return (price / tick).to_integral_value(rounding) * tick
