"""The same for many rows, a few at a time: a thousand one by one would outlast the function."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from surefill.ports import StoreUnavailableError

Item = TypeVar("Item")
Result = TypeVar("Result")
AT_ONCE = 8
_TRIES = 4


def each(items: Sequence[Item], action: Callable[[Item], Result], *, at_once: int = AT_ONCE) -> list[Result]:
    """Do something with every item; the results in the order of the items. StoreUnavailableError after four tries.

    One lost reply among thousands must not undo the rest: every action may be repeated.
    """

    def insist(item: Item) -> Result:
        for _ in range(_TRIES - 1):
            with suppress(StoreUnavailableError):
                return action(item)
        return action(item)

    if min(len(items), at_once) < 2:
        return [insist(item) for item in items]
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(insist, items))
