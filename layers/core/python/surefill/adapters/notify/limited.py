"""A destination that is not flooded: so many messages a minute, and a lasting condition not every minute anew.

What it remembers lives as long as its function's environment: after that the limit begins anew.
"""

from collections import Counter, OrderedDict, deque
from dataclasses import replace
from datetime import datetime, timedelta

from surefill.domain.notices import Notice, NoticeKind
from surefill.domain.reasons import Reason
from surefill.ports import Clock, Notifier, Observer

_WINDOW = timedelta(minutes=1)
# A condition that lasts is reported again after this.
REMINDER = timedelta(hours=1)
_TOPICS = 500


class LimitedNotifier:
    """Implements Notifier around another. A quarter of the limit is kept for notices that ask a person to act."""

    def __init__(self, inner: Notifier, *, per_minute: int, clock: Clock, observer: Observer) -> None:
        self._inner = inner
        self._limits = {True: per_minute, False: per_minute - per_minute // 4}
        self._clock = clock
        self._observer = observer
        self._sent: deque[datetime] = deque()
        self._reminded: OrderedDict[str, datetime] = OrderedDict()
        self._dropped: Counter[NoticeKind] = Counter()

    @property
    def name(self) -> str:
        """The destination's word."""
        return self._inner.name

    def tell(self, notice: Notice) -> None:
        """Deliver, or leave out and count; the next one delivered says what was left out."""
        now = self._clock.now()
        if self._is_repetition(notice, now=now):
            return
        while self._sent and now - self._sent[0] >= _WINDOW:
            self._sent.popleft()
        if len(self._sent) >= self._limits[notice.urgent]:
            self._drop(notice)
            return
        self._inner.tell(self._with_summary(notice))
        self._dropped.clear()
        self._sent.append(now)
        if notice.topic is not None:
            self._remember(notice.topic, now=now)

    def _is_repetition(self, notice: Notice, *, now: datetime) -> bool:
        last = self._reminded.get(notice.topic) if notice.topic is not None else None
        return last is not None and now - last < REMINDER

    def _remember(self, topic: str, *, now: datetime) -> None:
        self._reminded[topic] = now
        self._reminded.move_to_end(topic)
        if len(self._reminded) > _TOPICS:
            self._reminded.popitem(last=False)

    def _drop(self, notice: Notice) -> None:
        self._dropped[notice.kind] += 1
        self._observer.event(Reason.NOTIFY_DROPPED, destination=self.name, notice=notice.key)
        self._observer.metric("NotificationsDropped", 1)

    def _with_summary(self, notice: Notice) -> Notice:
        if not self._dropped:
            return notice
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self._dropped.items()))
        line = f"Left out before this message, because there were too many: {self._dropped.total()} ({kinds})"
        return replace(notice, lines=(*notice.lines, line))
