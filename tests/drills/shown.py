"""The outputs shown in docs/why.md, made anew: `python -m tests.drills.shown` prints them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from surefill.domain.rules import SizingRules
from tests.drills.stage import BOT, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def healthy() -> list[str]:
    """A position that waits for its levels."""
    with Stage() as stage:
        stage.minute(3)
        return stage.lines()


def credentials() -> list[str]:
    """The key is revoked while a position is open."""
    with Stage() as stage:
        stage.minute(2)
        stage.fault("revoke_key")
        stage.minute(6)
        return stage.lines()


def budget() -> list[str]:
    """Three bots want more than their budget has."""
    wants = {"budget_percent": Decimal(60), "sizing": SizingRules(max_percent=Decimal(100))}
    bots = {name: {**wants, "params": {"name": name, "buys": 100}} for name in (BOT, "two", "three")}
    with Stage(bots=bots, amount="84.54") as stage:
        stage.minute(4)
        return next(lines for lines in map(stage.lines, bots) if lines[1].startswith("STOPPED"))


def refused_exit() -> list[str]:
    """The take profit is reached and the venue refuses the sale."""
    with Stage() as stage:
        stage.minute(2)
        stage.fault("reject", code=-1013, msg="Filter failure: MARKET_LOT_SIZE", for_seconds=600)
        stage.price("61000")
        stage.minute(3)
        return stage.lines()


SHOWN: Mapping[str, Callable[[], list[str]]] = {
    "healthy": healthy,
    "credentials": credentials,
    "budget": budget,
    "refused exit": refused_exit,
}


if __name__ == "__main__":
    for title, make in SHOWN.items():
        print(f"--- {title}", *make(), "", sep="\n")
