"""The last gate before the network: which hosts, how many posts, and a record of what left and what came back.

It is a `requests` transport adapter, so ccxt can't go round it, whatever it decides to call.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

# A pooled connection that idled longer than this may have been dropped without a word (a frozen function, a NAT): a
# post on it could time out with its outcome unknown, while a new connection that fails proves that nothing was sent.
IDLE_SECONDS = 10.0


class ForbiddenRequestError(Exception):
    """A request that must not leave: a host outside the allow-list, or a post that is not the one allowed."""


class _NotJson:
    """Stands for a body that is not JSON."""


NOT_JSON = _NotJson()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the venue answered, byte for byte."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON, or NOT_JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return NOT_JSON


@dataclass(slots=True)
class WireLog:
    """What one call did on the wire. `left` is False while it is certain that no byte of a request went out."""

    allowed_posts: int = 0
    posts: int = 0
    left: bool = False
    answers: list[Answer] = field(default_factory=list)

    @property
    def answer(self) -> Answer | None:
        """The last answer, if there was any."""
        return self.answers[-1] if self.answers else None


class GuardedAdapter(BaseAdapter):
    """Lets only requests to `hosts` ("name" or "name:port") pass, and at most the allowed number of posts per call.

    Only https, except to `plain_origin` ("http://127.0.0.1:9100"), the configured replacement of the venue. `inner`
    does the real sending; the simulated exchange takes its place in simulations.
    """

    def __init__(
        self,
        *,
        hosts: frozenset[str],
        plain_origin: str | None = None,
        inner: BaseAdapter | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self._hosts = hosts
        self._plain_origin = plain_origin
        # One connection to one host is what a function needs; urllib3 must never repeat anything by itself.
        self._inner = inner or HTTPAdapter(pool_connections=2, pool_maxsize=4, max_retries=0)
        self._now = now
        self._last_used: float | None = None
        self._calls = threading.local()
        self.posts = 0

    @contextmanager
    def call(self, *, posts: int = 0) -> Iterator[WireLog]:
        """Everything sent by this thread inside the block belongs to one call and is written to its log."""
        log = WireLog(allowed_posts=posts)
        previous, self._calls.log = getattr(self._calls, "log", None), log
        try:
            yield log
        finally:
            self._calls.log = previous

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Check, send, and record. Raises ForbiddenRequestError before anything leaves."""
        log: WireLog = getattr(self._calls, "log", None) or WireLog()
        self._check_host(request)
        if request.method == "POST":
            self._count_post(log)
        log.left = True
        try:
            response = self._inner.send(request, *args, **kwargs)
            body = response.content
        except Exception as error:
            log.left = bool(log.answers) or not never_left(error)
            raise
        finally:
            self._last_used = self._now()
        log.answers.append(Answer(response.status_code, response.headers, body))
        return response

    def close(self) -> None:
        """Close all connections."""
        self._inner.close()

    def _check_host(self, request: requests.PreparedRequest) -> None:
        address = urlsplit(request.url or "")
        origin = f"{address.scheme}://{address.netloc}"
        if address.netloc not in self._hosts and address.hostname not in self._hosts:
            raise ForbiddenRequestError(
                f"requests must go to one of {', '.join(sorted(self._hosts)) or 'no host'}, was {origin!r}"
            )
        if address.scheme != "https" and origin != self._plain_origin:
            raise ForbiddenRequestError(f"requests must go over https, was {origin!r}")

    def _count_post(self, log: WireLog) -> None:
        if log.posts >= log.allowed_posts:
            raise ForbiddenRequestError(f"this call may post {log.allowed_posts} times, was about to post once more")
        log.posts += 1
        self.posts += 1
        if self._last_used is not None and abs(self._now() - self._last_used) > IDLE_SECONDS:
            self._inner.close()


def never_left(error: BaseException) -> bool:
    """Whether this transport error proves that no connection was made, so that nothing was sent."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    if not isinstance(error, requests.ConnectionError):
        return False
    inner = error.args[0] if error.args else None
    reason = inner.reason if isinstance(inner, MaxRetryError) else inner
    # NameResolutionError is a NewConnectionError. A proxy's failure is wrapped differently and stays unknown.
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)
