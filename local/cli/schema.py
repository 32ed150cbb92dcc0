"""The JSON Schema of a bot file, for editors: the API's own, with the parameters of every strategy."""

from __future__ import annotations

from typing import Any

from surefill.api.bodies import BotBody
from surefill.strategies import STRATEGIES

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def bot_schema() -> dict[str, Any]:
    """What a bot file may say."""
    schema = BotBody.model_json_schema()
    _accept_numbers(schema)
    names = sorted(STRATEGIES)
    properties = schema["properties"]
    # Known names are offered, others (strategies of one's own) are accepted.
    properties["strategy"] = {
        "anyOf": [{"enum": names}, {"type": "string"}],
        "title": "Strategy",
        "description": "What decides when to buy and sell.",
    }
    definitions = schema.setdefault("$defs", {})
    schema["allOf"] = []
    for name in names:
        params = STRATEGIES[name].Params.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}")
        definitions.update({f"{name}.{model}": inner for model, inner in params.pop("$defs", {}).items()})
        schema["allOf"].append(
            {"if": {"properties": {"strategy": {"const": name}}}, "then": {"properties": {"params": params}}}
        )
    return {"$schema": _DRAFT, **schema, "title": "Surefill bot"}


def _accept_numbers(schema: Any) -> None:
    """Amounts are text to the API; a file may write them as numbers."""
    if isinstance(schema, list):
        for item in schema:
            _accept_numbers(item)
    elif isinstance(schema, dict):
        if schema.get("type") == "string" and str(schema.get("pattern", "")).startswith("^-?\\d"):
            schema["type"] = ["string", "number"]
        for inner in schema.values():
            _accept_numbers(inner)
