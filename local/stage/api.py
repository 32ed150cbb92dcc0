"""The control API as an operator calls it: HTTP with SigV4 signatures."""

from __future__ import annotations

import json
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from local.errors import LocalError
from local.stage.environment import REGION
from local.stage.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.credentials import Credentials

_TIMEOUT_SECONDS = 30


class ApiError(LocalError):
    """The API refused a request. `status` is the HTTP status, `body` its answer."""

    def __init__(self, *, method: str, path: str, status: int, body: Any) -> None:
        self.status = status
        self.body = body
        told = body.get("detail") or body.get("message") or body if isinstance(body, dict) else body
        super().__init__(f"{method} {path} was answered with {status}: {told}")


class ControlApi:
    """Calls the HTTP API whose own name is `url`; the request goes to this machine, the Host header names the API."""

    def __init__(self, *, url: str, credentials: Credentials) -> None:
        parts = urlsplit(url)
        if not parts.hostname or not parts.port:
            raise ValueError(f"the API's address must have a host and a port, was {url!r}")
        self._base = f"{parts.scheme}://{parts.netloc}"
        self._port = parts.port
        self._credentials = credentials

    def get(self, *path: str) -> Any:
        """GET /a/b for get("a", "b")."""
        return self.call("GET", path)

    def post(self, *path: str, body: Mapping[str, Any] | None = None) -> Any:
        """POST a JSON body."""
        return self.call("POST", path, body=body or {})

    def delete(self, *path: str) -> Any:
        """DELETE a resource."""
        return self.call("DELETE", path)

    def call(self, method: str, path: tuple[str, ...], *, body: Mapping[str, Any] | None = None) -> Any:
        """One signed request. Raises ApiError for a refusal, LocalError when nobody answers."""
        target = "/" + "/".join(quote(part, safe="") for part in path)
        data = json.dumps(body) if body is not None else None
        request = AWSRequest(
            method=method,
            url=self._base + target,
            data=data,
            headers={"Content-Type": "application/json"} if data else {},
        )
        SigV4Auth(self._credentials, "execute-api", REGION).add_auth(request)
        headers = {**dict(request.headers.items()), "Host": urlsplit(self._base).netloc}
        connection = HTTPConnection(HOST, self._port, timeout=_TIMEOUT_SECONDS)
        try:
            connection.request(method, target, body=data, headers=headers)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        except (OSError, HTTPException) as error:
            raise LocalError(f"the control API did not answer {method} {target}: {error}") from error
        finally:
            connection.close()
        try:
            content = json.loads(text) if text else {}
        except ValueError:
            content = text
        if answer.status >= 400:
            raise ApiError(method=method, path=target, status=answer.status, body=content)
        return content
