"""The answer of `why`: links, the stories they make, and the one that says it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from surefill.domain.kinds import Mode
from surefill.domain.reasons import Reason


class LinkName(StrEnum):
    """The links a trade goes through, in this order."""

    SCHEDULE = "schedule"
    DATA = "data"
    SIGNAL = "signal"
    GATES = "gates"
    CLAIM = "claim"
    PLACE = "place"
    SETTLE = "settle"
    PROTECTION = "protection"
    EXIT = "exit"


class LinkState(StrEnum):
    """OK: it did its part. WAITING: nothing is wrong, it is not time yet. STOPPED: it goes no further until something
    changes. UNKNOWN: nothing has come this far, or nothing is stored about it."""

    OK = "ok"
    WAITING = "waiting"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link: what it says in a sentence, since when, the numbers behind it, and what to do about it."""

    name: LinkName
    state: LinkState
    says: str
    reason: Reason | None = None
    since: datetime | None = None
    evidence: Mapping[str, str] = field(default_factory=dict)
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """All links of one symbol, of a grid's rung (`rung`) or of the bot itself (`symbol` empty)."""

    symbol: str
    links: tuple[Link, ...]
    rung: str | None = None

    @property
    def verdict(self) -> Link:
        """The first link that stopped; when none did, the furthest one that waits; otherwise the last one known."""
        stopped = [link for link in self.links if link.state is LinkState.STOPPED]
        waiting = [link for link in self.links if link.state is LinkState.WAITING]
        known = [link for link in self.links if link.state is not LinkState.UNKNOWN]
        if stopped:
            return stopped[0]
        return (waiting or known or list(self.links))[-1]


_ORDER = tuple(LinkName)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a bot does what it does at `at`. `mode` is None when its account is not known."""

    bot_id: str
    at: datetime
    stories: tuple[Story, ...]
    account_id: str = ""
    budget_id: str = ""
    mode: Mode | None = None

    @property
    def story(self) -> Story:
        """The story that matters most: one that stopped, at the earliest link; otherwise one that waits."""
        return min(self.stories, key=_urgency)

    @property
    def verdict(self) -> Link:
        """The link that says why."""
        return self.story.verdict

    @property
    def healthy(self) -> bool:
        """Whether nothing stopped."""
        return self.verdict.state is not LinkState.STOPPED


_BY_STATE = (LinkState.STOPPED, LinkState.WAITING, LinkState.OK, LinkState.UNKNOWN)


def _urgency(story: Story) -> tuple[int, int]:
    link = story.verdict
    place = _ORDER.index(link.name)
    # Of several that wait, the one that came furthest tells most.
    return _BY_STATE.index(link.state), place if link.state is LinkState.STOPPED else -place
