"""Which strategy is meant, and with which parameters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from local.errors import LocalError
from surefill.strategies.loading import Catalogue, StrategyFileError, load_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from surefill.strategies.base import Strategy


def strategy_of(target: str, *, folder: Path | None = None) -> type[Strategy]:
    """A strategy by name or by file. Raises LocalError."""
    if target.endswith(".py"):
        try:
            return load_file(Path(target).resolve())
        except StrategyFileError as error:
            raise LocalError(str(error)) from None
        except (Exception, SystemExit) as error:
            raise LocalError(f"{target} can't be imported: {type(error).__name__}: {error}") from None
    catalogue = Catalogue(folder)
    try:
        return catalogue[target]
    except KeyError:
        broken = [problem for problem in catalogue.problems if Path(problem.source).stem == target]
        why = f"{broken[0].source}: {broken[0].error}" if broken else f"known are {', '.join(sorted(catalogue))}"
        raise LocalError(f"strategy {target!r} is not there; {why}") from None


def parsed_params(text: str) -> dict[str, Any]:
    """Parameters given as JSON. Raises LocalError."""
    try:
        params = json.loads(text) if text else {}
    except ValueError as error:
        raise LocalError(f"--params must be a JSON object, was {text!r}: {error}") from None
    if not isinstance(params, dict):
        raise LocalError(f"--params must be a JSON object, was {text!r}")
    return params


def with_examples(strategy: type[Strategy], params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters, and the first example of each field that has no default and was not given."""
    examples = {
        name: field.examples[0]
        for name, field in strategy.Params.model_fields.items()
        if field.is_required() and field.examples
    }
    return {**examples, **params}


def made(strategy: type[Strategy], params: Mapping[str, Any]) -> Strategy:
    """The strategy with these parameters. Raises LocalError when they are refused."""
    try:
        return strategy(with_examples(strategy, params))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "parameters"
        hint = "; give it with --params" if first["type"] == "missing" else ""
        raise LocalError(f"strategy {strategy.name}: {where}: {first['msg']}{hint}") from None
    except Exception as error:
        raise LocalError(f"strategy {strategy.name}: {type(error).__name__}: {error}") from None
