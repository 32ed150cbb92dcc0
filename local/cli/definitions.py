"""Bots as files: what a file says against what the stage has, field by field."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from local.backtest.botfile import AS_THEY_ARE, amounts_as_text, read_bot_file, scalar
from local.errors import LocalError
from surefill.api.bodies import BotBody
from surefill.api.rules import ExitsBody, GatesBody, SizingBody
from surefill.strategies import STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

# What a person insists on is said with a change, but is not part of what a bot is.
_INSISTED = {"accept_risk_ratio"}
_FIRST = ("name", "budget_id", "symbols", "strategy")
_FIELDS = (*_FIRST, *(name for name in BotBody.model_fields if name not in _FIRST))
_RULES = {"sizing": SizingBody, "gates": GatesBody, "exit_rules": ExitsBody}
_SCHEMA_LINE = "# yaml-language-server: $schema={schema}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A bot as a file describes it. `given` are the fields as they are sent, `source` is where they come from."""

    name: str
    given: Mapping[str, Any]
    body: BotBody
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field that differs; None is absent."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would be done to one bot: create, change, delete, or nothing."""

    action: str
    name: str
    source: str = ""
    changes: tuple[FieldChange, ...] = ()
    body: Mapping[str, Any] | None = None

    def told(self) -> dict[str, Any]:
        """As JSON."""
        changes = [{"field": item.field, "before": item.before, "after": item.after} for item in self.changes]
        return {"action": self.action, "bot": self.name, "file": self.source, "changes": changes}


def read_definitions(paths: Sequence[Path]) -> list[Definition]:
    """The bots of some files. Raises LocalError naming the file and the field; the same bot twice is one."""
    found: dict[str, Definition] = {}
    for path in paths:
        definition = _definition(read_bot_file(path), source=str(path))
        twin = found.get(definition.name)
        if twin is not None:
            raise LocalError(f"{path}: bot {definition.name!r} is described in {twin.source} already")
        found[definition.name] = definition
    return list(found.values())


def plan_changes(
    definitions: Sequence[Definition], bots: Iterable[Mapping[str, Any]], *, prune: bool = False
) -> list[Plan]:
    """What brings the stage's bots to what the files say. Bots without a file stay, unless they are to be pruned."""
    present = {str(bot["bot_id"]): bot for bot in bots}
    plans = [_plan(definition, present.get(definition.name)) for definition in definitions]
    if prune:
        kept = {definition.name for definition in definitions}
        plans += [Plan(action="delete", name=name) for name in sorted(present) if name not in kept]
    return plans


def definition_of(bot: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a file, out of a bot of the API; of its rules only what is not as it always is."""
    body = _body_of(bot)
    found: dict[str, Any] = body.model_dump(mode="json", include=body.model_fields_set)
    for name in _RULES:
        rules = getattr(body, name)
        found[name] = rules.model_dump(mode="json", exclude_defaults=True) if rules is not None else {}
    return {name: found[name] for name in _FIELDS if found.get(name) not in (None, {})}


def as_yaml(bot: Mapping[str, Any], *, schema: str) -> str:
    """A bot of the API as a file."""
    text: str = yaml.safe_dump(definition_of(bot), sort_keys=False, allow_unicode=True, width=100)
    return _SCHEMA_LINE.format(schema=schema) + text


def changed_definition(bot: Mapping[str, Any], assignments: Sequence[str]) -> Plan:
    """What `field=value` (or `params.name=value`) changes in a bot. Raises LocalError naming the field."""
    content = definition_of(bot)
    for assignment in assignments:
        path, sign, text = assignment.partition("=")
        first, _, inner = path.strip().partition(".")
        if not sign or first not in BotBody.model_fields:
            known = ", ".join(_FIELDS)
            raise LocalError(f"a change must look like field=value with one of {known}, was {assignment!r}")
        value = _assigned(text.strip(), as_it_is=first != AS_THEY_ARE)
        if inner:
            content[first] = _with(dict(content.get(first) or {}), inner.split("."), value)
        else:
            content[first] = value
    return _plan(replace(_definition(content, source="the change"), source=""), bot)


def _assigned(text: str, *, as_it_is: bool) -> Any:
    """A value typed by a person: JSON lists and objects as such, amounts as text, parameters as numbers."""
    if text[:1] in ("[", "{"):
        try:
            return amounts_as_text(json.loads(text))
        except ValueError:
            raise LocalError(f"{text!r} begins like JSON but is none") from None
    if text in ("none", "null"):
        return None
    return text if as_it_is else scalar(text)


def _with(values: dict[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    first, *rest = path
    return {**values, first: _with(dict(values.get(first) or {}), rest, value) if rest else value}


def _definition(content: Mapping[str, Any], *, source: str) -> Definition:
    try:
        body = BotBody.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the file"
        raise LocalError(f"{source}: {field}: {first['msg']}, was {first.get('input')!r:.80}") from None
    return Definition(name=body.name, given=content, body=body, source=source)


def _plan(definition: Definition, bot: Mapping[str, Any] | None) -> Plan:
    if bot is None:
        given = _whole(definition.body).model_dump(mode="json")
        shown = {name: given[name] for name in _FIELDS}
        changes = tuple(
            FieldChange(field=field, before=None, after=value)
            for field, value in _flat(shown).items()
            if value not in (None, [])
        )
        body = dict(definition.given)
        return Plan(action="create", name=definition.name, source=definition.source, changes=changes, body=body)
    stored = _body_of(bot)
    before, after = _whole(stored), _whole(definition.body)
    known = stored.model_fields_set | _RULES.keys()
    compared = {field for field in known if getattr(after, field) is not None}
    changes = tuple(_differences(before, after, fields=compared))
    if not changes:
        return Plan(action="keep", name=definition.name, source=definition.source)
    changed = {change.field.partition(".")[0] for change in changes}
    body = after.model_dump(mode="json", include=changed | _INSISTED & definition.body.model_fields_set)
    return Plan(action="change", name=definition.name, source=definition.source, changes=changes, body=body)


def _body_of(bot: Mapping[str, Any]) -> BotBody:
    """What is stored of a bot, as the request that would have created it."""
    named = {**bot, "name": bot["bot_id"]}
    return BotBody.model_validate({name: named[name] for name in BotBody.model_fields if named.get(name) is not None})


def _whole(body: BotBody) -> BotBody:
    """A body with what it leaves out: default rules, and the intervals of its strategy where that is known."""
    strategy = STRATEGIES.get(body.strategy)
    left_out: dict[str, Any] = {name: kind() for name, kind in _RULES.items() if getattr(body, name) is None}
    if strategy is not None and body.timeframe is None:
        left_out["timeframe"] = strategy.default_timeframe
    if strategy is not None and body.interval_seconds is None:
        left_out["interval_seconds"] = strategy.default_interval_seconds
    return body.model_copy(update=left_out)


def _differences(before: BotBody, after: BotBody, *, fields: set[str]) -> Iterator[FieldChange]:
    values = [_flat(side.model_dump(include=fields)) for side in (before, after)]
    texts = [_flat(side.model_dump(mode="json", include=fields)) for side in (before, after)]
    for field in dict.fromkeys((*values[1], *values[0])):
        if values[0].get(field) != values[1].get(field):
            yield FieldChange(field=field, before=texts[0].get(field), after=texts[1].get(field))


def _flat(values: Mapping[str, Any], *, prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found.update(_flat(value, prefix=f"{prefix}{name}."))
        else:
            found[prefix + name] = value
    return found
