"""Publish: tell every destination what became of orders and what needs a person.

Telling never changes money, so telling twice does no harm; what a destination did not take comes again, for it alone.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from surefill.domain.notices import Notice, notice_of
from surefill.domain.reasons import Reason
from surefill.domain.rows import Row
from surefill.ports import NotDeliveredError, Notifier, Observer

_REMEMBERED = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A row as it is after a change. `number` is the change's place in its stream."""

    number: str
    row: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Tells changes to destinations. One instance per function: it remembers what each of them took."""

    notifiers: Sequence[Notifier]
    observer: Observer
    _told: dict[str, OrderedDict[str, None]] = field(default_factory=dict)

    def consume(self, changes: Sequence[Change]) -> frozenset[str]:
        """Tell what is worth telling; returns the numbers of the changes that must come again."""
        return self.tell([(change.number, notice) for change in changes if (notice := notice_of(change.row))])

    def tell(self, notices: Sequence[tuple[str, Notice]]) -> frozenset[str]:
        """Tell numbered notices; returns the numbers of those that some destination did not take."""
        # Each destination by itself: one that is down keeps nothing from the others.
        return frozenset().union(*(self._tell(notifier, notices) for notifier in self.notifiers))

    def _tell(self, notifier: Notifier, notices: Sequence[tuple[str, Notice]]) -> frozenset[str]:
        told = self._told.setdefault(notifier.name, OrderedDict())
        for index, (_, notice) in enumerate(notices):
            if notice.key in told:
                continue
            try:
                notifier.tell(notice)
            except NotDeliveredError as error:
                self._failed(notifier, notice=notice, error=error)
                if not error.final:
                    # What follows waits for its turn, so that a story is told in its order.
                    return frozenset(number for number, later in notices[index:] if later.key not in told)
            told[notice.key] = None
            if len(told) > _REMEMBERED:
                told.popitem(last=False)
        return frozenset()

    def _failed(self, notifier: Notifier, *, notice: Notice, error: NotDeliveredError) -> None:
        self.observer.event(
            Reason.NOTIFY_FAILED, destination=notifier.name, notice=notice.key, final=error.final, error=str(error)
        )
        self.observer.metric("NotificationsFailed", 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureNotifier:
    """The destination that turns finished orders into log lines and metrics of the business dashboard."""

    observer: Observer
    name: str = "figures"

    def tell(self, notice: Notice) -> None:
        """One line and one count per order; money realised per account when the order realised some."""
        intent = notice.intent
        if intent is None:
            return
        self.observer.event(
            intent.outcome or Reason.FILLED,
            intent=intent.intent_id,
            account=intent.account_id,
            bot=intent.bot_id,
            symbol=intent.symbol,
            leg=intent.leg,
            why=intent.reason,
            state=intent.state,
            # For charts and sums in queries; the exact amounts are in the ledger.
            cost=float(intent.filled_cost),
            realised=None if intent.realised is None else float(intent.realised),
        )
        self.observer.metric("Orders", 1, leg=str(intent.leg), state=str(intent.state))
        if intent.realised is not None:
            self.observer.metric("RealisedProfit", float(intent.realised), account=intent.account_id)
