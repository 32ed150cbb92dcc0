"""The decisions of a strategy as digests, to be compared between processes: JSON in, JSON out."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from local.strategies.deciding import fingerprint

if TYPE_CHECKING:
    from local.strategies.checks import Subject


def digest_of(subject: Subject) -> dict[int, str]:
    """A digest per candle, of the decisions with every position."""
    digests: dict[int, str] = {}
    for index in subject.indices():
        decisions = [fingerprint(subject.decide(index, position)) for position in subject.positions(index).values()]
        digests[index] = hashlib.sha256(repr(decisions).encode()).hexdigest()[:16]
    return digests


def main() -> None:
    """Read {"target", "params", "seed", "folder"}, print the digest of each candle."""
    from local.strategies.checks import subject_of
    from local.strategies.targets import made, strategy_of

    asked = json.load(sys.stdin)
    kind = strategy_of(asked["target"], folder=Path(asked["folder"]) if asked["folder"] else None)
    subject = subject_of(made(kind, asked["params"]), seed=asked["seed"])
    sys.stdout.write(json.dumps(digest_of(subject)) + "\n")


if __name__ == "__main__":
    main()
