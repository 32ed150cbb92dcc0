"""What every request passes before its route: its size, and the key that makes a repetition harmless."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from surefill.api.problems import CONTENT_TYPE, problem
from surefill.api.services import caller_of
from surefill.ports import StoreUnavailableError
from surefill.usecases.control.errors import RequestRefusedError
from surefill.usecases.control.requests import Answer, Requests

# Bytes of a body; the largest bot is a tenth of it.
LARGEST_BODY = 64 * 1024
LONGEST_PATH = 1024
_KEY = "idempotency-key"
_JSON = "application/json"
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# Callers from outside leave no rows before they have shown their token.
_OUTSIDE = "/hooks/"
# Answers with a secret in them.
_SHOWN_ONCE = "/hook"

Event = dict[str, Any]


def answered(event: Event, *, requests: Requests, answer: Callable[[], Event]) -> Event:
    """The answer of the route, or the one a request with the same key was given before."""
    body = event.get("body") or ""
    size = len(body) * 3 // 4 if event.get("isBase64Encoded") else len(body.encode("utf-8", "surrogatepass"))
    path = str(event.get("rawPath", ""))
    if size > LARGEST_BODY:
        return refusal(413, field="body", message=f"a body must be at most {LARGEST_BODY} bytes, was {size}")
    if len(path) > LONGEST_PATH:
        return refusal(414, field="path", message=f"a path must be at most {LONGEST_PATH} characters")
    method = str(event["requestContext"]["http"]["method"]).upper()
    headers = event.get("headers") or {}
    content_type = (_header(headers, "content-type") or _JSON).strip()
    if method in _CHANGING and not content_type.startswith(_JSON):
        return refusal(415, field="Content-Type", message=f"a body must be {_JSON}, was {content_type[:100]}")
    key = _header(headers, _KEY)
    if key is None or method not in _CHANGING or path.startswith(_OUTSIDE):
        return answer()
    try:
        route = f"{method} {path}?{event.get('rawQueryString', '')}"
        begun = requests.begin(caller=caller_of(event), route=route, key=key, body=body)
    except RequestRefusedError as error:
        return refusal(error.status, field=error.field, message=str(error))
    except StoreUnavailableError:
        return refusal(503, field="", message="the service is busy, try again")
    if isinstance(begun, Answer):
        return response(begun.status, begun.body, repeated=True)
    made = answer()
    # Without its answer stored the request is done, and may be asked again with its key when it counts as lost.
    with suppress(StoreUnavailableError):
        status, text = _to_keep(made, secret=method == "POST" and path.endswith(_SHOWN_ONCE))
        requests.finish(begun, status=status, body=text)
    return made


def _to_keep(made: Event, *, secret: bool) -> tuple[int, str]:
    """What a repetition is told. A token is kept nowhere: who did not see it makes another."""
    status, text = int(made["statusCode"]), str(made.get("body", ""))
    if not secret or status >= 400:
        return status, text
    message = "the token was shown once, in the first answer: make another with a new key"
    return 409, problem(status=409, field="Idempotency-Key", message=message)


def refusal(status: int, *, field: str, message: str) -> Event:
    """A problem document as the gateway takes it."""
    return response(status, problem(status=status, field=field, message=message))


def response(status: int, body: str, *, repeated: bool = False) -> Event:
    """An answer as the gateway takes it."""
    headers = {"Content-Type": CONTENT_TYPE if status >= 400 else _JSON}
    if repeated:
        headers["Idempotency-Replayed"] = "true"
    return {"statusCode": status, "headers": headers, "body": body, "isBase64Encoded": False, "cookies": []}


def _header(headers: Mapping[str, str], name: str) -> str | None:
    return next((value for key, value in headers.items() if key.lower() == name), None)
