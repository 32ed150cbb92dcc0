"""Bot files: YAML, JSON or TOML with the fields the API takes, and what a backtest needs on top of them."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from local.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path


def _from_yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


def _from_toml(text: str) -> Any:
    import tomllib

    return tomllib.loads(text)


# Parameters of a strategy are numbers to the API.
AS_THEY_ARE = "params"
_READERS: Mapping[str, Callable[[str], Any]] = {
    ".yaml": _from_yaml,
    ".yml": _from_yaml,
    ".json": json.loads,
    ".toml": _from_toml,
}


def read_bot_file(path: Path) -> dict[str, Any]:
    """The fields of one bot. Raises LocalError when the file is none."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise LocalError(f"{path}: a bot file must end in {', '.join(_READERS)}, ends in {path.suffix!r}")
    try:
        content = reader(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LocalError(f"{path}: no such file, expected a bot file") from None
    except (OSError, ValueError) as error:
        raise LocalError(f"{path}: can't be read as {path.suffix[1:].upper()}: {_one_line(error)}") from None
    if not isinstance(content, dict):
        raise LocalError(f"{path}: must hold the fields of a bot, holds {type(content).__name__}")
    found: dict[str, Any] = amounts_as_text({str(name): value for name, value in content.items()})
    return found


def read_params(pairs: Iterable[str]) -> dict[str, str | int | float | bool]:
    """Parameters given as name=value. Raises LocalError for anything else."""
    found: dict[str, str | int | float | bool] = {}
    for pair in pairs:
        name, sign, text = pair.partition("=")
        if not sign or not name.strip():
            raise LocalError(f"--param must look like name=value, was {pair!r}")
        found[name.strip()] = scalar(text.strip())
    return found


def scalar(text: str) -> str | int | float | bool:
    """A number or a truth value when the text is one, the text otherwise."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def amount(text: str, *, option: str) -> Decimal:
    """An amount given on the command line. Raises LocalError when it is no finite number."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise LocalError(f"{option} must be a number, was {text!r}") from None
    if not value.is_finite():
        raise LocalError(f"{option} must be a finite number, was {text!r}")
    return value


def amounts_as_text(content: Any) -> Any:
    """The API takes amounts as text; files may write them as plain numbers. Parameters are numbers to it, too."""
    if isinstance(content, float):
        return repr(content)
    if isinstance(content, list):
        return [amounts_as_text(item) for item in content]
    if isinstance(content, dict):
        return {name: value if name == AS_THEY_ARE else amounts_as_text(value) for name, value in content.items()}
    return content


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
