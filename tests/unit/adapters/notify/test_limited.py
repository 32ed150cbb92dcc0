"""No destination is flooded, nothing urgent is crowded out, and what was left out is said."""

from dataclasses import dataclass, field, replace

import pytest

from surefill.adapters.notify.limited import LimitedNotifier
from surefill.domain.notices import Notice
from surefill.domain.reasons import Reason
from surefill.ports import NotDeliveredError
from tests.fakes.ports import FakeClock, ListObserver
from tests.unit.adapters.notify.notices import account, bought, journal, notice, sold


@dataclass
class ListNotifier:
    """Remembers notices; fails while told to."""

    name: str = "list"
    told: list[Notice] = field(default_factory=list)
    failing: bool = False

    def tell(self, notice: Notice) -> None:
        if self.failing:
            raise NotDeliveredError("is down")
        self.told.append(notice)


class Limited:
    """A limited destination of eight messages a minute."""

    def __init__(self) -> None:
        self.clock, self.inner, self.observer = FakeClock(), ListNotifier(), ListObserver()
        self.notifier = LimitedNotifier(self.inner, per_minute=8, clock=self.clock, observer=self.observer)

    def entries(self, count: int, *, first: int = 0) -> None:
        for index in range(first, first + count):
            self.notifier.tell(notice(bought(intent_id=f"{index:032}")))


@pytest.fixture
def limited() -> Limited:
    return Limited()


def test_up_to_the_limit_everything_is_told(limited: Limited) -> None:
    limited.entries(6)
    assert len(limited.inner.told) == 6
    assert limited.observer.events == []


def test_what_is_left_out_is_counted_and_said_in_the_next_message(limited: Limited) -> None:
    limited.entries(9)
    limited.notifier.tell(notice(sold()))
    assert len(limited.inner.told) == 6
    assert limited.observer.metrics == [("NotificationsDropped", 1)] * 4
    limited.clock.forward(seconds=60)
    limited.entries(2, first=20)
    first, second = limited.inner.told[6:]
    assert first.lines[-1] == ("Left out before this message, because there were too many: 4 (3 entry, 1 exit)")
    assert "Left out" not in second.text


def test_a_message_that_asks_to_act_still_gets_through(limited: Limited) -> None:
    limited.entries(9)
    limited.notifier.tell(notice(account()))
    assert limited.inner.told[-1].kind == "credentials_rejected"
    assert "3 (3 entry)" in limited.inner.told[-1].text


def test_but_not_without_end(limited: Limited) -> None:
    for index in range(12):
        limited.notifier.tell(replace(notice(account()), topic=f"t{index}", key=str(index)))
    assert len(limited.inner.told) == 8


def test_a_condition_that_lasts_is_told_once_an_hour(limited: Limited) -> None:
    for minute in range(125):
        limited.notifier.tell(notice(journal(Reason.UNPROTECTED, minute=minute)))
        limited.clock.forward(minutes=1)
    assert len(limited.inner.told) == 3
    assert limited.observer.events == [], "a reminder that is left out is nothing lost"


def test_conditions_of_different_bots_do_not_hide_each_other(limited: Limited) -> None:
    limited.notifier.tell(notice(journal(Reason.UNPROTECTED)))
    limited.notifier.tell(notice(replace(journal(Reason.UNPROTECTED), bot_id="other")))
    limited.notifier.tell(notice(journal(Reason.LIMIT_LOSS)))
    assert len(limited.inner.told) == 3


def test_a_message_that_was_not_taken_neither_counts_nor_loses_the_summary(limited: Limited) -> None:
    limited.entries(7)
    limited.clock.forward(seconds=60)
    limited.inner.failing = True
    with pytest.raises(NotDeliveredError):
        limited.notifier.tell(notice(journal(Reason.UNPROTECTED)))
    limited.inner.failing = False
    limited.notifier.tell(notice(journal(Reason.UNPROTECTED)))
    assert "1 (1 entry)" in limited.inner.told[-1].text


def test_the_window_slides(limited: Limited) -> None:
    limited.entries(3)
    limited.clock.forward(seconds=40)
    limited.entries(3, first=10)
    limited.clock.forward(seconds=30)
    limited.entries(4, first=20)
    assert len(limited.inner.told) == 9
