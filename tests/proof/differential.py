"""Random games of the money protocol on the in-memory store and on real engines: every move must end the same.

`python -m tests.proof.differential [--moves 10000] [--seed 1]`. A game has a seed of its own, so one of them is enough
to see a difference again: `--seed N --moves 500`.
"""

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import perf_counter

from rich.console import Console

from surefill.adapters.dynamodb import SharedConnection
from surefill.adapters.memory import MemoryStore
from tests.contract.engines import REGION, Engine, ministack, moto_engine
from tests.contract.moves import Player, play
from tests.contract.test_games import COARSE, FINE, differences, lists, worlds_in
from tests.races.crowd import as_client_of_nobody

REPORT = Path(__file__).resolve().parents[2] / "build" / "differential.json"
MOVES_PER_GAME = 500
# One game of so many is played on moto, the others on ministack.
_MOTO_EVERY = 5


@dataclass(slots=True)
class Differential:
    """What the games came to."""

    games: int = 0
    moves: int = 0
    refused: int = 0
    found: list[str] = field(default_factory=list)
    failing_seeds: list[int] = field(default_factory=list)


def game(engine: Engine, seed: int, moves: int, tally: Differential) -> None:
    """Play one game on memory and on an engine, and compare every move and, at the end, every row and list."""
    seen, store = MemoryStore(), engine.store()
    worlds = worlds_in(seen, store)
    honest = engine.name == "ministack"
    player = Player(Random(seed), seen, worlds, grid=FINE if honest else COARSE, resends=honest)
    wrong = []
    for number in range(moves):
        move = player.draw()
        expected, got = play(seen, move), play(store, move)
        tally.moves += 1
        tally.refused += bool(expected)
        if got != expected:
            wrong.append(f"move {number} {move}: memory says {sorted(map(str, expected))}, {sorted(map(str, got))}")
            break
    else:
        wrong += differences(seen, store)
        if lists(seen, worlds) != lists(store, worlds):
            wrong.append("an index finds something else")
    tally.games += 1
    tally.found += [f"seed {seed} on {engine.name}: {text}" for text in wrong]
    if wrong:
        tally.failing_seeds.append(seed)


def play_all(*, moves: int, first_seed: int) -> Differential:
    """As many games as it takes for `moves` moves."""
    tally = Differential()
    as_client_of_nobody()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="surefill-games-")))
        endpoint = stack.enter_context(ministack(folder))
        honest = Engine("ministack", SharedConnection(endpoint_url=endpoint, region=REGION))
        moto_connection = SharedConnection(region=REGION)
        seed = first_seed
        while moves > 0:
            count = min(moves, MOVES_PER_GAME)
            if seed % _MOTO_EVERY == 0:
                with moto_engine(moto_connection) as engine:
                    game(engine, seed, count, tally)
            else:
                game(honest, seed, count, tally)
            moves -= count
            seed += 1
    return tally


def main(arguments: list[str] | None = None) -> int:
    """Command line; exit code 1 when a difference was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.differential", description=__doc__)
    parser.add_argument("--moves", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1, help="of the first game; each next game has the next one")
    asked = parser.parse_args(arguments)
    began = perf_counter()
    tally = play_all(moves=asked.moves, first_seed=asked.seed)
    figures = {
        "differential_ops": tally.moves,
        "differences": len(tally.found),
        "games": tally.games,
        "refused": tally.refused,
        "failing_seeds": tally.failing_seeds,
        "seconds": round(perf_counter() - began, 1),
    }
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    console = Console(soft_wrap=True)
    for text in tally.found[:10]:
        console.print(text, markup=False, highlight=False)
    console.print(f"{tally.moves:,} moves in {tally.games} games, {tally.refused:,} refused, {len(tally.found)} differ")
    return int(bool(tally.found))


if __name__ == "__main__":
    sys.exit(main())
