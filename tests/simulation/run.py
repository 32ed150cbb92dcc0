"""One seed: trade for a while in bad weather, then let everything come to rest, and judge."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from surefill.domain.states import UNFINISHED
from tests.simulation import judge, people, plans, weather
from tests.simulation.chaos import RandomChaos
from tests.simulation.kernel import Kernel
from tests.simulation.world import START_MS, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.invariants import Violation

MINUTE_MS = 60_000
# Minutes of bad weather in a seed.
MINUTES = 16
OUTAGE_MS = 130 * MINUTE_MS
# Minutes of calm within which everything must have come to rest.
REST_MINUTES = 8
SCHEDULES = ("dispatch", "watch_exits", "reconcile")


@dataclass(slots=True)
class Verdict:
    """What became of a seed. Times in seconds."""

    seed: int
    trace_hash: str = ""
    twice: int = 0
    steps: int = 0
    invocations: int = 0
    executions: int = 0
    orders: int = 0
    bot_seconds: float = 0.0
    violations: list[str] = field(default_factory=list)
    settled_after: list[float] = field(default_factory=list)
    unprotected: list[float] = field(default_factory=list)
    unprotected_calm: list[float] = field(default_factory=list)
    fired: Counter[str] = field(default_factory=Counter)
    heard: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)


def run_seed(seed: int, *, minutes: int = MINUTES, tell: Callable[[str], None] | None = None) -> Verdict:
    """Run one seed to its end."""
    random = Random(seed)
    chaos = RandomChaos.drawn(random)
    kernel = Kernel(seed=f"kernel {seed}", start_ms=START_MS + random.randrange(48) * 30 * MINUTE_MS, tell=tell)
    chaos.calm = True
    latency = Random(f"latency {seed}")
    world = World(
        seed=seed,
        chaos=chaos,
        kernel=kernel,
        plans=plans.drawn(random, seed=seed, paper=f"paper-binance-s{seed}"),
        fees_in_bnb=random.random() < 0.15,
        latency=lambda: 0.01 + latency.random() * 0.08,
        tell=tell,
    )
    chaos.calm = False
    verdict = Verdict(seed)
    try:
        _trade(world, chaos, random, minutes, verdict)
        _calm_down(world, chaos, verdict)
    except Exception as error:
        verdict.violations.append(f"CRASH {type(error).__name__}: {error}")
        if tell is not None:
            raise
    finally:
        world.close()
    _account_for(world, chaos, verdict)
    return verdict


def _trade(world: World, chaos: RandomChaos, random: Random, minutes: int, verdict: Verdict) -> None:
    kernel, before = world.kernel, None
    first = kernel.now_ms
    outage_after = random.randrange(4, minutes) if random.random() < 0.12 else -1
    for minute in range(minutes):
        moment_ms = first + minute * MINUTE_MS
        skewed = moment_ms - chaos.skew
        kernel.run_until(max(skewed, kernel.now_ms))
        for schedule in (*SCHEDULES, *(("sync_account",) if minute % 5 == 0 else ())):
            world.cloud.tick(schedule, moment_ms)
        weather.change(world, chaos, random)
        people.act(world, random)
        if minute == outage_after:
            _outage(world, chaos, verdict)
            first = kernel.now_ms - minute * MINUTE_MS
        if minute % 4 == 3:
            found, before = judge.safety(world, before)
            _accuse(verdict, found)
    kernel.run_until(first + minutes * MINUTE_MS)


def _outage(world: World, chaos: RandomChaos, verdict: Verdict) -> None:
    """Hours without any schedule; what was delayed until then still arrives, and executions run on."""
    chaos.fired["schedules down for hours"] += 1
    world.kernel.run_until(world.kernel.now_ms + OUTAGE_MS)
    bots = len(world.bots())
    verdict.bot_seconds -= bots * OUTAGE_MS / 1_000


def _calm_down(world: World, chaos: RandomChaos, verdict: Verdict) -> None:
    """Faults stop, people stop, bots are paused (exits go on); schedules tick on until all is at rest."""
    kernel = world.kernel
    chaos.stop()
    weather.clear(world)
    people.leave(world)
    stopped_ms = kernel.now_ms
    for minute in range(REST_MINUTES):
        people.call_off(world)
        moment_ms = (kernel.now_ms + chaos.skew) // MINUTE_MS * MINUTE_MS + MINUTE_MS
        for schedule in (*SCHEDULES, *(("sync_account",) if minute >= 2 else ())):
            world.cloud.tick(schedule, moment_ms)
        kernel.run_until(max(moment_ms - chaos.skew, kernel.now_ms + 1))
        if minute >= 3 and not _busy(world):
            break
    kernel.run_until(kernel.now_ms + 30_000)
    found, rows = judge.safety(world, None)
    _accuse(verdict, [*found, *judge.rest(world, rows)])
    verdict.settled_after = judge.late(world, rows, stopped_ms)
    verdict.unprotected_calm = judge.unprotected(world, since_ms=stopped_ms)
    verdict.outcomes = Counter(f"{intent.leg} {intent.state} {intent.outcome}" for intent in rows.intents)


def _busy(world: World) -> bool:
    return any(intent.state in UNFINISHED for intent in world.rows().intents)


def _accuse(verdict: Verdict, found: list[Violation]) -> None:
    known = set(verdict.violations)
    verdict.violations += [text for text in dict.fromkeys(map(str, found)) if text not in known]


def _account_for(world: World, chaos: RandomChaos, verdict: Verdict) -> None:
    kernel = world.kernel
    verdict.trace_hash = kernel.trace_hash()
    verdict.steps = kernel.steps
    verdict.invocations = world.cloud.invocations
    verdict.executions = len(world.cloud.executions)
    verdict.orders = len(world.exchange.state.engine.orders)
    verdict.bot_seconds += len(world.bots()) * (kernel.now_ms - kernel.began_ms) / 1_000
    verdict.unprotected = judge.unprotected(world)
    verdict.fired = Counter(chaos.fired)
    verdict.fired.update({f"venue {kind}": count for kind, count in world.exchange.state.faults.fired.items()})
    verdict.heard = world.ears.heard
