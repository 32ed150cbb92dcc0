"""Requests that must count once: the same key gives the same answer, whoever repeats it and however often."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from surefill.domain.records import Request
from surefill.domain.times import to_milliseconds
from surefill.ports import Clock, Store
from surefill.protocol.transaction import Guard, GuardFailedError, Op, Update, key_of
from surefill.usecases.control.errors import ConflictError, RequestRefusedError

LIFETIME = timedelta(days=7)
# A request without an answer for so long has died on the way, and may be done again.
_LOST = timedelta(seconds=40)
_LONGEST_KEY = 128
_FIELD = "Idempotency-Key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was answered."""

    status: int
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """Remembers requests and their answers for a week."""

    store: Store
    clock: Clock

    def begin(self, *, caller: str, route: str, key: str, body: str) -> Request | Answer:
        """A new request to be answered, or the answer it was given before.

        ConflictError when the key was used with another body, or when the first one is still under way.
        """
        if not (0 < len(key) <= _LONGEST_KEY and key.isascii() and key.isprintable()):
            raise RequestRefusedError(_FIELD, f"{_FIELD} must be 1 to {_LONGEST_KEY} printable ASCII characters")
        now = self.clock.now()
        request = Request(
            request_key=f"key|{_hash(caller, route, key)}",
            fingerprint=_hash(body),
            worker=secrets.token_hex(8),
            at=now,
            expires_at=to_milliseconds(now + LIFETIME) // 1_000,
        )
        try:
            self.store.insert(request)
        except GuardFailedError:
            return self._again(request)
        return request

    def finish(self, request: Request, *, status: int, body: str) -> None:
        """Remember the answer. A failure of ours (5xx) is none: then the request may be made again at once."""
        changes = {"status": status, "answer": body} if status < 500 else {"at": None}
        self.store.update(Update(key=key_of(request), set=changes))

    def _again(self, request: Request) -> Request | Answer:
        known = self.store.get(Request, request.request_key)
        if known is None:
            raise ConflictError(_FIELD, "the first request with this key has just expired: use another key")
        if known.fingerprint != request.fingerprint:
            raise ConflictError(_FIELD, "this key was used with another body: use a new key for a new request")
        if known.status is not None:
            return Answer(status=known.status, body=known.answer)
        if known.worker == request.worker:
            return request  # our own write, resent after its reply was lost
        assert request.at is not None
        if known.at is not None and request.at - known.at < _LOST:
            raise ConflictError(_FIELD, "the first request with this key is still under way: ask again in a moment")
        same = Guard(name="nobody_else", field="at", op=Op.EQUAL if known.at else Op.MISSING, value=known.at)
        try:
            taken = {"at": request.at, "worker": request.worker}
            self.store.update(Update(key=key_of(request), set=taken, guards=(same,)))
        except GuardFailedError:
            message = "another request with this key is under way: ask again in a moment"
            raise ConflictError(_FIELD, message) from None
        return request


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
