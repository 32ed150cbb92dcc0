"""The models, each small enough to be visited completely."""

from dataclasses import replace
from decimal import Decimal

from surefill.domain.kinds import OrderKind
from surefill.domain.reasons import Reason
from tests.model import positions
from tests.model.frame import bot, budget, constants, entry, slot_of
from tests.model.positions import held
from tests.model.scenario import Scenario
from tests.model.stages import exits, stops, sweeper, workflow
from tests.model.venue import Habits

# A resting order is cancelled after two minutes: moments that reach so far.
_PATIENT = (0, 16, 28, 46, 130, 192)
_SHORT = (0, 16, 28, 46)
_FULL = Habits(fills=(2,), faults=frozenset({"reply lost", "request lost", "delayed"}))


def buy(**changes: object) -> Scenario:
    """One signal delivered twice, and the sweeper."""
    intent = entry()
    base = Scenario(
        name="buy",
        rows=(budget(), bot()),
        processes=(workflow("first", intent), workflow("second", intent), sweeper("sweeper")),
        moments=_SHORT,
        crashes=0,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def buy_limit(**changes: object) -> Scenario:
    """A resting order that fills in parts, is cancelled, and may fill after that."""
    intent = entry(kind=OrderKind.LIMIT)
    base = Scenario(
        name="buy, resting order and cancel",
        rows=(budget(), bot()),
        processes=(workflow("first", intent), sweeper("sweeper", passes=2)),
        moments=_PATIENT,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def exit_race(**changes: object) -> Scenario:
    """A take profit, a stop loss and a person want the same position sold; other bots' coins are on the account."""
    rows, venue = held()
    base = Scenario(
        name="exit, take profit against stop loss against a person",
        rows=rows,
        venue=venue,
        processes=(
            exits("take profit", Reason.TAKE_PROFIT, slot_of()),
            exits("stop loss", Reason.STOP_LOSS, slot_of()),
            exits("person", Reason.MANUAL_EXIT, slot_of()),
        ),
        moments=(0, 28),
        crashes=1,
        habits=Habits(fills=(2, 1), faults=frozenset({"request lost"})),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def exit_watch(**changes: object) -> Scenario:
    """The exit watch, a person and the sweeper, on coarse steps: what remains of a sale is dust."""
    rows, venue = held()
    base = Scenario(
        name="exit, watch against a person, with dust",
        rows=rows,
        venue=venue,
        constants=constants(step="1"),
        bid=Decimal(110),
        processes=(
            ("watch", "watch", 1),
            exits("person", Reason.MANUAL_EXIT, slot_of()),
            sweeper("sweeper"),
        ),
        moments=(0, 28, 46),
        habits=Habits(fills=(2, 1, 0), faults=frozenset({"reply lost", "not sent", "refused"})),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def exit_with_sweeper(**changes: object) -> Scenario:
    """Two who want it sold, and the sweeper, with everything that can go wrong on the way."""
    rows, venue = held()
    base = Scenario(
        name="exit, stop loss against a person, sweeper",
        rows=rows,
        venue=venue,
        processes=(
            exits("stop loss", Reason.STOP_LOSS, slot_of()),
            exits("person", Reason.MANUAL_EXIT, slot_of()),
            sweeper("sweeper"),
        ),
        moments=(0, 16, 28, 46),
        crashes=0,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def shared_budget(**changes: object) -> Scenario:
    """Three bots, money for one, and an owner who withdraws."""
    bots = ("one", "two", "three")
    base = Scenario(
        name="three bots on one budget, and a withdrawal",
        rows=(budget(450, max_trades_per_day=5), *(bot(name) for name in bots)),
        processes=(
            *(workflow(f"bot {name}", entry(name), looks=0) for name in bots),
            ("withdraw", "owner", Decimal(100)),
        ),
        moments=(0, 28),
        crashes=1,
        faults=0,
        habits=Habits(fills=(2, 0), faults=frozenset()),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def limits(**changes: object) -> Scenario:
    """Two bots on a budget with limits, and the first trade of a day."""
    base = Scenario(
        name="two bots, limits, first trade of the day",
        rows=(budget(day="2026-01-04", max_open_positions=1, max_trades_per_day=1), bot(), bot("two")),
        processes=(workflow("bot one", entry()), workflow("bot two", entry("two")), sweeper("sweeper")),
        moments=(0, 28, 46),
        crashes=1,
        faults=0,
        habits=Habits(fills=(2, 0), faults=frozenset()),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def late_fill(**changes: object) -> Scenario:
    """One order, two sweepers, a venue whose look-ups go stale, requests that hang in the network."""
    base = Scenario(
        name="sweepers against a late fill, stale look-ups",
        rows=(budget(), bot()),
        processes=(workflow("first", entry()), sweeper("sweeper", passes=2)),
        moments=(0, 5, 16, 28, 46, 57),
        crashes=1,
        faults=2,
        habits=replace(_FULL, goes_stale=True),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def kill_switch(**changes: object) -> Scenario:
    """Entries are switched off, and a bot is paused, while two bots buy."""
    base = Scenario(
        name="kill switch and pause while buying",
        rows=(budget(), bot(), bot("two")),
        processes=(
            workflow("bot one", entry()),
            workflow("bot two", entry("two")),
            ("switch", "operator", False),
            stops("operator 2", "one"),
        ),
        moments=(0, 28),
        crashes=1,
        faults=0,
        habits=Habits(fills=(2, 0), faults=frozenset()),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def round_trip(**changes: object) -> Scenario:
    """Buy, sell and the signal once more, late: the same signal never buys again."""
    intent = entry()
    base = Scenario(
        name="buy, sell, and the signal again",
        rows=(budget(), bot()),
        processes=(
            workflow("first", intent),
            exits("person", Reason.MANUAL_EXIT, slot_of()),
            workflow("again", intent),
        ),
        moments=(0, 28),
        crashes=0,
        faults=0,
        habits=Habits(fills=(2, 0), faults=frozenset()),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def _commit() -> tuple[Scenario, ...]:
    first, resting = entry(), entry(kind=OrderKind.LIMIT)
    once = workflow("first", first)
    hanging = Habits(fills=(2,), faults=frozenset({"delayed"}), goes_stale=True)
    return (
        buy(name="buy, signal delivered twice", processes=(once, workflow("second", first)), crashes=1),
        buy(name="buy, two sweeps", processes=(once, sweeper("sweeper", passes=2)), crashes=1),
        buy(name="buy, two crashes, two faults", processes=(once, sweeper("sweeper")), crashes=2, faults=2),
        buy_limit(
            processes=(workflow("first", resting), sweeper("sweeper", passes=2)), moments=(0, 130, 192), faults=0
        ),
        exit_race(crashes=0),
        exit_watch(processes=exit_watch().processes[:2], moments=(0, 28)),
        exit_with_sweeper(
            processes=(exit_with_sweeper().processes[0], sweeper("sweeper", passes=2)),
            crashes=1,
            name="exit, two sweeps",
        ),
        exit_with_sweeper(moments=(0, 46), habits=Habits(fills=(2, 1), faults=frozenset({"request lost"}))),
        shared_budget(),
        limits(),
        late_fill(processes=(once, sweeper("sweeper")), moments=_SHORT, habits=hanging),
        late_fill(
            name="two lookers against a late fill, stale look-ups",
            processes=(("settle", "looker", first.intent_id, 3), workflow("first", first, looks=2)),
            moments=(0, 16, 28),
            habits=hanging,
        ),
        kill_switch(),
        round_trip(),
        *positions.commit(),
    )


def _soak() -> tuple[Scenario, ...]:
    return (
        buy(crashes=2, faults=2),
        buy(name="buy, all moments", moments=(0, 5, 16, 28, 46, 57), crashes=1),
        buy_limit(),
        exit_race(),
        exit_watch(),
        exit_with_sweeper(crashes=1),
        shared_budget(crashes=2, habits=Habits(fills=(2, 1, 0), faults=frozenset())),
        late_fill(),
        kill_switch(crashes=2, faults=1, moments=(0, 28, 46)),
        round_trip(crashes=1, faults=1, habits=Habits(fills=(2, 1, 0))),
        *positions.soak(),
    )


def scenarios(size: str) -> tuple[Scenario, ...]:
    """The models of a size: "commit" visits each completely, "soak" as far as the limit lets it."""
    return {"commit": _commit, "soak": lambda: (*_commit(), *_soak())}[size]()
