"""How large DynamoDB reckons an item to be."""

from collections.abc import Mapping
from typing import Any


def bytes_of(item: Mapping[str, dict[str, Any]]) -> int:
    """Size of an item by DynamoDB's published rule: names, text as UTF-8, two digits of a number to a byte."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(str(content).encode())
        case "N":
            digits = str(content).lstrip("-").replace(".", "").strip("0")
            return (len(digits) + 1) // 2 + 1 + str(content).startswith("-")
        case "BOOL":
            return 1
        case "L":
            return 3 + sum(1 + _value_bytes(one) for one in content)
    raise AssertionError(f"rows must be stored as S, N, BOOL or L, was {kind}")
