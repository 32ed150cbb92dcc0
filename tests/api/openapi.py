"""`make openapi`: the API's description, made from its routes, into docs/api/openapi.json."""

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from surefill.api.answers import ANSWERS, COMPONENTS
from surefill.api.gate import LARGEST_BODY, LONGEST_PATH

PATH = Path(__file__).resolve().parents[2] / "docs" / "api" / "openapi.json"
_ENVIRONMENT = {"POWERTOOLS_SERVICE_NAME": "bot_api", "POWERTOOLS_METRICS_NAMESPACE": "Surefill"}
_CHANGING = ("post", "put", "patch", "delete")
_OUTSIDE = "/hooks/{bot_id}"
_PROBLEMS = {
    "400": "The request could not be read.",
    "401": "The token proves nothing.",
    "404": "What it is about does not exist.",
    "405": "The path takes other methods; `Allow` names them.",
    "409": "It contradicts what is there now, or its Idempotency-Key was used for something else.",
    "413": f"The body is above {LARGEST_BODY:,} bytes.",
    "414": f"The path is above {LONGEST_PATH:,} characters.",
    "415": "The body is something else than JSON.",
    "422": "A field does not fit; `field` names it.",
    "429": "It was asked too often.",
    "503": "The tables did not answer; what was written is not known, so ask again with the same key.",
}
# How Powertools would refuse; no route does.
_POWERTOOLS_OWN = ("HTTPValidationError", "ResponseValidationError", "ValidationError")
_PROBLEM = {
    "type": "object",
    "required": ["title", "status", "field", "detail"],
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "field": {"type": "string", "description": "the part of the request that must change"},
        "detail": {"type": "string", "description": "what was wrong, what was expected, what to do"},
    },
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key with the same body gives the same answer for a week; with another body it is refused.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 128},
}


def of_the_routes() -> dict[str, Any]:
    """What the routes themselves say: paths, parameters and bodies."""
    os.environ.update({name: os.environ.get(name, value) for name, value in _ENVIRONMENT.items()})
    app = importlib.import_module("functions.bot_api.handler").app
    made: dict[str, Any] = json.loads(
        app.get_openapi_json_schema(
            title="Surefill control API",
            version="1",
            description="Controls trading bots. Every route but the one for alerts takes requests signed with SigV4.",
        )
    )
    return made


def openapi() -> dict[str, Any]:
    """The description as it should be in the repository."""
    made = of_the_routes()
    made.pop("servers", None)
    components = made["components"]
    for name in _POWERTOOLS_OWN:
        components["schemas"].pop(name, None)
    for name, schema in {"Problem": _PROBLEM, **COMPONENTS}.items():
        known = components["schemas"].setdefault(name, schema)
        if known != schema:
            raise ValueError(f"{name} must name one schema, was {known} and {schema}")
    components["securitySchemes"] = {
        "sigv4": {
            "type": "apiKey",
            "name": "Authorization",
            "in": "header",
            "x-amazon-apigateway-authtype": "awsSigv4",
        }
    }
    made["security"] = [{"sigv4": []}]
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            _complete(operation, path=path, method=method)
    return made


def _complete(operation: dict[str, Any], *, path: str, method: str) -> None:
    operation["summary"] = operation.get("description", operation.get("summary", "")).partition("\n")[0]
    operation["responses"]["200"]["content"] = {"application/json": {"schema": ANSWERS[f"{method.upper()} {path}"]}}
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status, text in _PROBLEMS.items():
        operation["responses"][status] = {"description": text, "content": problem}
    if path == _OUTSIDE:
        operation["security"] = []
    elif method in _CHANGING:
        operation.setdefault("parameters", []).append(_KEY)


def closed(schema: Any) -> Any:
    """The same, but an object may have the fields it names and no others: what is not described is not true."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {name: closed(part) for name, part in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        parts.setdefault("additionalProperties", False)
    return parts


def text() -> str:
    """The file's content."""
    return json.dumps(openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{PATH}: {len(openapi()['paths'])} paths\n")
