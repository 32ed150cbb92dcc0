"""Signed HTTP requests to the control API. Reads are repeated once when nobody answers, changes never are."""

from __future__ import annotations

import json
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from local.client.errors import UnreachableError, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.client.target import Target

CONNECT_SECONDS = 3
READ_SECONDS = 30
PAGE = 100
_TRANSIENT = frozenset({429, 500, 502, 503, 504})


class ApiClient:
    """Calls one API. `run_key` names this run: a repetition under the same one changes nothing twice."""

    def __init__(self, target: Target, *, run_key: str | None = None) -> None:
        self._target = target
        self._run_key = run_key or str(uuid.uuid4())
        self._base = target.url.rstrip("/")
        self._http = URLLib3Session(
            verify=target.ca_bundle or True,  # type: ignore[arg-type]  # a path is taken too
            proxies={} if target.connect_to else get_environ_proxies(self._base),
            timeout=(CONNECT_SECONDS, READ_SECONDS),  # type: ignore[arg-type]  # a pair is taken too
        )

    @property
    def target(self) -> Target:
        """The API that is called."""
        return self._target

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def get(self, *path: str, **query: Any) -> Any:
        """GET /a/b?limit=5 for get("a", "b", limit=5). Raises RefusedError, UnreachableError."""
        target = _target(path, query)
        try:
            return self._call("GET", target)
        except UnreachableError:
            return self._call("GET", target)

    def pages(self, *path: str, limit: int | None, **query: Any) -> dict[str, Any]:
        """The first `limit` items of a list (all when None) in one page; `next` is where the rest begins, if any."""
        items: list[Any] = []
        page: dict[str, Any] = {}
        following: str | None = None
        while limit is None or len(items) < limit:
            wanted = PAGE if limit is None else min(PAGE, limit - len(items))
            page = self.get(*path, limit=wanted, next=following, **query)
            items += page["items"]
            following = page.get("next")
            if not following:
                break
        return {**page, "items": items}

    def each(self, *path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every item of a list."""
        yield from self.pages(*path, limit=None, **query)["items"]

    def post(self, *path: str, body: Mapping[str, Any] | None = None, **query: Any) -> Any:
        """POST a JSON body."""
        return self._change("POST", path, body=body or {}, query=query)

    def patch(self, *path: str, body: Mapping[str, Any]) -> Any:
        """PATCH with a JSON body."""
        return self._change("PATCH", path, body=body)

    def delete(self, *path: str) -> Any:
        """DELETE a resource."""
        return self._change("DELETE", path)

    def _change(
        self,
        method: str,
        path: tuple[str, ...],
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> Any:
        target = _target(path, query or {})
        data = None if body is None else json.dumps(body, sort_keys=True)
        # The same change in a repeated run has the same key, another one has another.
        key = str(uuid.uuid5(uuid.NAMESPACE_URL, "\n".join((self._run_key, method, target, data or ""))))
        try:
            return self._call(method, target, data=data, headers={"Idempotency-Key": key})
        except UnreachableError as error:
            raise UnreachableError(
                f"{error}; whether it was done is not known: look, or repeat the command with --key {self._run_key}, "
                "which does it once at most"
            ) from error

    def _call(
        self, method: str, target: str, *, data: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        request = AWSRequest(
            method=method,
            url=self._base + target,
            data=data,
            headers={**(headers or {}), **({"Content-Type": "application/json"} if data is not None else {})},
        )
        SigV4Auth(self._target.credentials, "execute-api", self._target.region).add_auth(request)
        prepared = request.prepare()
        if self._target.connect_to:
            parts = urlsplit(self._base)
            prepared.headers["Host"] = parts.netloc
            port = f":{parts.port}" if parts.port else ""
            prepared.url = f"{parts.scheme}://{self._target.connect_to}{port}{target}"
        try:
            answer = self._http.send(prepared)
            text = answer.content.decode("utf-8", "replace")
        except (BotoCoreError, OSError) as error:
            raise UnreachableError(f"the API of stage {self._target.stage} did not answer: {_plain(error)}") from error
        content: Any = text
        with suppress(ValueError):
            content = json.loads(text) if text else {}
        if answer.status_code in _TRANSIENT:
            detail = content.get("detail") or content.get("message") if isinstance(content, dict) else None
            raise UnreachableError(
                f"the API of stage {self._target.stage} answered {method} {target} with {answer.status_code}: "
                f"{detail or 'no reason given'}"
            )
        if answer.status_code >= 400:
            raise refusal(status=answer.status_code, body=content)
        return content


def _target(path: tuple[str, ...], query: Mapping[str, Any]) -> str:
    given = {name: _as_text(value) for name, value in query.items() if value is not None}
    joined = "/" + "/".join(quote(part, safe="") for part in path)
    return joined + ("?" + urlencode(given, quote_via=quote) if given else "")


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
