"""One HTTP POST of JSON with a time limit. Nothing it says contains the address beyond its host, or a header."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import urllib3

from surefill.ports import NotDeliveredError

_CONNECT_SECONDS = 2.0
_READ_SECONDS = 4.0
# An answer is read for its error text only.
_READ_BYTES = 2_000
_LOOPBACK = frozenset({"127.0.0.1", "localhost"})
# Too many requests, and what the destination itself calls a passing trouble, may go well later.
_PASSING = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Answer:
    """What the destination answered: status and the beginning of its text."""

    status: int
    text: str


class HttpPoster:
    """Posts JSON. One per destination; connections are kept between calls."""

    def __init__(self, *, read_seconds: float = _READ_SECONDS) -> None:
        timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=read_seconds)
        self._pool = urllib3.PoolManager(timeout=timeout, retries=False, maxsize=1)

    def post(self, url: str, *, body: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Post and return a 2xx answer. Raises NotDeliveredError for everything else; redirects are not followed."""
        host = urlsplit(url).hostname
        try:
            answer = self._pool.request(
                "POST",
                url,
                body=body.encode(),
                headers={"Content-Type": "application/json", "User-Agent": "surefill", **(headers or {})},
                redirect=False,
                preload_content=False,
            )
            try:
                text = answer.read(_READ_BYTES).decode(errors="replace")
            finally:
                answer.drain_conn()
                answer.release_conn()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            # The error's own text quotes the address, and with it a token.
            raise NotDeliveredError(f"{host} did not answer: {type(error).__name__}") from None
        if 200 <= answer.status < 300:
            return Answer(answer.status, text)
        final = answer.status < 500 and answer.status not in _PASSING
        raise NotDeliveredError(f"{host} answered {answer.status}", final=final)


def checked_url(url: str, *, name: str) -> str:
    """`url` when it is https (or http on this machine). Raises ValueError that names the setting, not the address."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return url
    if parts.scheme == "http" and parts.hostname in _LOOPBACK:
        return url
    raise ValueError(f"{name} must be an https address, was {parts.scheme or 'no'} address")
