"""What a failed look means. Only the venue's native code and HTTP status count, never ccxt's exception class alone."""

import re
from datetime import datetime, timedelta

from surefill.adapters.ccxt.profile import CodeRule, UnreadableError, VenueProfile
from surefill.adapters.ccxt.redaction import Redactor
from surefill.adapters.ccxt.transport import Answer, ForbiddenRequestError, WireLog
from surefill.domain.orders import VenueError
from surefill.domain.reasons import Reason
from surefill.domain.times import from_milliseconds

# 4xx that say nothing about the request: a timeout, and the rate limiter's two.
_UNDECIDED = frozenset({408, 418, 429})
_BANNED_UNTIL = re.compile(r"banned until (\d{13})")
_SECONDS = re.compile(r"[0-9]{1,7}")
_MAINTENANCE = re.compile(r"(?i)maintenance")


class CodedVenueError(VenueError):
    """A VenueError that still knows the venue's native code."""

    def __init__(self, reason: Reason, message: str, *, code: str, retry_at: datetime | None) -> None:
        self.code = code
        super().__init__(reason, message, retry_at=retry_at)


def coded(answer: Answer | None, *, profile: VenueProfile) -> tuple[str, str] | None:
    """Native code and message of an answer that is an error in the venue's own form."""
    return profile.dialect.read_error(answer.json()) if answer is not None else None


def is_decided(answer: Answer) -> bool:
    """Whether the status is one behind which an error code is definite: 4xx without timeout and rate limits."""
    return 400 <= answer.status < 500 and answer.status not in _UNDECIDED


def matching(rules: tuple[CodeRule, ...], *, code: str, message: str) -> CodeRule | None:
    """The first rule about this error."""
    return next((rule for rule in rules if rule.meets(code=code, message=message)), None)


def told(answer: Answer, *, profile: VenueProfile, redactor: Redactor) -> str:
    """The answer in words that may be shown."""
    native = coded(answer, profile=profile)
    if native is None:
        return f"{profile.name} answered HTTP {answer.status} with {len(answer.body)} bytes that are no known message"
    return redactor.clean(f"{profile.name} answered HTTP {answer.status}, code {native[0]}: {native[1]}")


def look_failure(
    failure: BaseException, *, log: WireLog, profile: VenueProfile, redactor: Redactor, now: datetime
) -> VenueError:
    """The VenueError of a look that raised `failure`."""
    answer = log.answer
    if answer is None:
        forbidden = isinstance(failure, ForbiddenRequestError)
        reason = Reason.ACCOUNT_BLOCKED if forbidden else Reason.VENUE_DOWN
        return VenueError(reason, f"{profile.name} gave no answer: {redactor.describe(failure)}")
    words = told(answer, profile=profile, redactor=redactor)
    if answer.status == 200:
        detail = failure if isinstance(failure, UnreadableError) else type(failure).__name__
        return VenueError(Reason.VENUE_DOWN, f"{words}: {redactor.clean(detail)}")
    code, message = coded(answer, profile=profile) or ("", "")
    return CodedVenueError(
        _reason(answer, code=code, message=message, profile=profile),
        words,
        # A code counts as the venue's word only where the venue had one: not behind its own failures and limits.
        code=code if is_decided(answer) else "",
        retry_at=_retry_at(answer, message=message, now=now),
    )


def _reason(answer: Answer, *, code: str, message: str, profile: VenueProfile) -> Reason:
    if answer.status in (418, 429):
        return Reason.RATE_LIMITED
    if _MAINTENANCE.search(message):
        return Reason.MAINTENANCE
    rule = matching(profile.look_failures, code=code, message=message)
    if rule is not None:
        return rule.reason
    # 403 without a code is the venue's firewall: too many requests from this address.
    return Reason.RATE_LIMITED if answer.status == 403 and not code else Reason.VENUE_DOWN


def _retry_at(answer: Answer, *, message: str, now: datetime) -> datetime | None:
    """Retry-After in seconds; a ban also names its end in the message."""
    seconds = _SECONDS.fullmatch(answer.headers.get("Retry-After", ""))
    if seconds is not None:
        return now + timedelta(seconds=int(seconds[0]))
    banned = _BANNED_UNTIL.search(message)
    return from_milliseconds(int(banned[1])) if banned else None
