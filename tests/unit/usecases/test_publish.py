"""What became of orders is told to every destination, each for itself; what is still open is not told."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from surefill.domain.kinds import AccountState
from surefill.domain.notices import Notice, notice_of
from surefill.domain.reasons import Reason
from surefill.domain.rows import Row
from surefill.domain.states import IntentState
from surefill.ports import NotDeliveredError
from surefill.usecases.publish import Change, FigureNotifier, Publisher
from tests.fakes.ports import ListObserver
from tests.unit.adapters.notify.notices import account, bought, journal, notice, sold


@dataclass
class ListNotifier:
    """Remembers titles; `failures` is how often it fails first, and how."""

    name: str = "list"
    failures: list[NotDeliveredError] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def tell(self, notice: Notice) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.told.append(notice.title)


@dataclass
class FigureObserver(ListObserver):
    """Remembers the dimensions of metrics too."""

    figures: list[tuple[str, float, dict[str, str]]] = field(default_factory=list)

    def metric(self, name: str, value: float, **dimensions: str) -> None:
        self.figures.append((name, value, dimensions))


def changes(*rows: Row) -> list[Change]:
    return [Change(number=str(number), row=row) for number, row in enumerate(rows, start=1)]


VOID = bought(state=IntentState.VOID, outcome=Reason.NEVER_SENT, filled_quantity=Decimal(0), filled_cost=Decimal(0))


@pytest.mark.parametrize(
    ("row", "kind", "title"),
    [
        (bought(), "entry", "trend BTC/USDT: bought 2 for 199 USDT"),
        (sold(), "exit", "trend BTC/USDT: sold 2 for 205 USDT, +5.7 USDT (+2.86 %)"),
        (sold(realised=Decimal("-4.005")), "exit", "trend BTC/USDT: sold 2 for 205 USDT, -4.005 USDT (-2.01 %)"),
        (sold(realised=None), "exit", "trend BTC/USDT: sold 2 for 205 USDT"),
        (sold(basis=None), "exit", "trend BTC/USDT: sold 2 for 205 USDT, +5.7 USDT"),
        (VOID, "order_not_made", "trend BTC/USDT: entry not made (order.never_sent)"),
        (bought(state=IntentState.ADOPTED, outcome=Reason.ADOPTED), "entry", "trend BTC/USDT: bought 2 for 199 USDT"),
        (
            sold(state=IntentState.VOID, outcome=Reason.BALANCE_SHORT),
            "position_held",
            "trend BTC/USDT: position HELD (position.balance_short)",
        ),
        (
            bought(outcome=Reason.OVERRUN),
            "position_held",
            "trend BTC/USDT: position HELD (order.cost_above_reservation)",
        ),
        (account(), "credentials_rejected", "account live-binance-main: the venue rejects the credentials"),
        (
            account(state=AccountState.OUT_OF_SYNC, state_reason="BTC short by 0.5"),
            "reconcile_difference",
            "account live-binance-main: the account holds less than the tables say",
        ),
        (journal(Reason.UNPROTECTED), "position_unprotected", "trend BTC/USDT: open position without an exit"),
        (journal(Reason.SLOT_HELD), "position_held", "trend BTC/USDT: position HELD"),
        (journal(Reason.LIMIT_LOSS), "daily_loss_reached", "trend BTC/USDT: loss limit of the day reached"),
    ],
)
def test_every_event_has_its_words(row: Row, kind: str, title: str) -> None:
    told = notice(row)
    assert (str(told.kind), told.title) == (kind, title)
    assert told.urgent is (kind not in ("entry", "exit", "order_not_made"))


@pytest.mark.parametrize(
    "row",
    [
        *(bought(state=state) for state in IntentState if state not in ("FILLED", "ADOPTED", "VOID")),
        account(state=AccountState.OK),
        journal(Reason.TAKE_PROFIT),
    ],
)
def test_what_is_open_empty_or_usual_is_not_told(row: Row) -> None:
    assert notice_of(row) is None


def test_numbers_and_remedy_are_in_the_text() -> None:
    text = notice(journal(Reason.LIMIT_LOSS, loss_today="52 of 50", need="10")).text
    assert "loss_today 52 of 50, need 10" in text
    assert "No new entries from this budget until tomorrow." in text


def test_an_account_that_was_never_read_can_be_told() -> None:
    told = notice(account(reconciled_at=None))
    assert told.at is None
    assert told.key != notice(account()).key


def test_everybody_is_told_everything_in_order() -> None:
    first, second = ListNotifier("first"), ListNotifier("second")
    publisher = Publisher(notifiers=(first, second), observer=ListObserver())
    assert publisher.consume(changes(bought(), sold(), bought(state=IntentState.SENT))) == frozenset()
    assert first.told == second.told == [notice(bought()).title, notice(sold()).title]


def test_only_what_failed_comes_again_and_only_for_whom_it_failed() -> None:
    observer = ListObserver()
    fine, down = ListNotifier("fine"), ListNotifier("down", failures=[NotDeliveredError("is down")])
    publisher = Publisher(notifiers=(down, fine), observer=observer)
    batch = changes(bought(), VOID, sold())
    assert publisher.consume(batch) == {"1", "2", "3"}
    assert len(fine.told) == 3
    assert down.told == []
    assert observer.reasons() == [Reason.NOTIFY_FAILED]
    assert observer.metrics == [("NotificationsFailed", 1)]
    assert publisher.consume(batch) == frozenset()
    assert len(fine.told) == 3
    assert len(down.told) == 3


def test_a_failure_in_the_middle_leaves_what_was_told_before() -> None:
    class Second(ListNotifier):
        def tell(self, notice: Notice) -> None:
            if notice.intent is not None and notice.intent.leg == "EXIT" and not self.failures:
                self.failures.append(NotDeliveredError("once"))
                raise self.failures[0]
            self.told.append(notice.title)

    notifier = Second()
    publisher = Publisher(notifiers=(notifier,), observer=ListObserver())
    batch = changes(bought(), sold(), bought(intent_id="c" * 32))
    assert publisher.consume(batch) == {"2", "3"}


def test_what_a_destination_refuses_for_good_is_not_repeated() -> None:
    notifier = ListNotifier(failures=[NotDeliveredError("no such chat", final=True)])
    publisher = Publisher(notifiers=(notifier,), observer=ListObserver())
    assert publisher.consume(changes(bought(), sold())) == frozenset()
    assert notifier.told == [notice(sold()).title]
    assert publisher.consume(changes(bought())) == frozenset()
    assert len(notifier.told) == 1


def test_an_order_adopted_after_it_was_void_is_told_again() -> None:
    notifier = ListNotifier()
    publisher = Publisher(notifiers=(notifier,), observer=ListObserver())
    adopted = replace(VOID, state=IntentState.ADOPTED, outcome=Reason.ADOPTED)
    publisher.consume(changes(VOID, VOID, adopted))
    assert len(notifier.told) == 2


def test_memory_is_bounded() -> None:
    notifier = ListNotifier()
    publisher = Publisher(notifiers=(notifier,), observer=ListObserver())
    rows = [bought(intent_id=f"{number:032}") for number in range(2_001)]
    publisher.consume(changes(*rows))
    publisher.consume(changes(rows[0], rows[-1]))
    assert len(notifier.told) == 2_002


def test_figures_count_orders_and_add_up_what_accounts_realised() -> None:
    observer = FigureObserver()
    publisher = Publisher(notifiers=(FigureNotifier(observer=observer),), observer=observer)
    batch = changes(bought(), sold(), account(), journal(Reason.UNPROTECTED))
    publisher.consume(batch)
    publisher.consume(batch)
    assert observer.figures == [
        ("Orders", 1, {"leg": "ENTRY", "state": "FILLED"}),
        ("Orders", 1, {"leg": "EXIT", "state": "FILLED"}),
        ("RealisedProfit", 5.7, {"account": "live-binance-main"}),
    ]
    assert [fields["realised"] for _, fields in observer.events] == [None, 5.7]


def test_times_of_notices_are_aware() -> None:
    assert notice(bought()).at == datetime(2026, 1, 5, 12, 0, 2, tzinfo=UTC)
