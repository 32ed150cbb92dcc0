"""Small models of positions that grow, in which their protections are missed."""

from dataclasses import replace
from decimal import Decimal

from surefill.domain.identity import exit_intent_id
from surefill.domain.kinds import BotState
from surefill.domain.reasons import Reason
from surefill.domain.rows import Intent
from tests.model.frame import constants, entry, slot_of
from tests.model.frame import tranche as tranche_of
from tests.model.positions import tranche
from tests.model.scenario import Scenario
from tests.model.stages import adds, exits, stops, workflow
from tests.model.venue import Habits
from tests.protections.small import CALM, late_person


def added_and_sold(**changes: object) -> Scenario:
    """A tranche and a person who sells."""
    scenario = tranche(
        name="a tranche and a sale",
        processes=(adds("tick", slot_of()), exits("person", Reason.MANUAL_EXIT, slot_of())),
        moments=(0,),
        crashes=1,
        habits=CALM,
    )
    return replace(scenario, **changes)  # type: ignore[arg-type]


def added_and_half_sold() -> Scenario:
    """A tranche and a person whose sale may fill in part."""
    return added_and_sold(habits=Habits(fills=(2, 1), faults=frozenset()), crashes=0)


def wrong_tranche() -> Scenario:
    """A tranche of the position before this one."""
    base = late_person()
    planned = tranche_of(of=entry(minute=-20).intent_id)
    return replace(base, name="a tranche too late", processes=(workflow("late tick", planned, looks=0),))


def two_ticks() -> Scenario:
    """Two ticks that both want the second tranche."""
    return added_and_sold(
        name="two ticks", processes=(adds("tick", slot_of()), adds("next tick", slot_of(), minute=2)), crashes=0
    )


def swept_tranche() -> Scenario:
    """A worker of a tranche that stands still before the gate until a looker takes its order back."""
    bought = next(row for row in tranche().rows if isinstance(row, Intent))
    planned = tranche_of(of=bought.intent_id)
    return added_and_sold(
        name="a tranche standing still before the gate",
        processes=(workflow("tick", planned), ("settle", "looker", planned.intent_id, 1)),
        moments=(0, 46),
        crashes=0,
    )


def switched_tranche() -> Scenario:
    """The kill switch against a tranche."""
    return added_and_sold(
        name="kill switch against a tranche",
        processes=(adds("tick", slot_of()), ("switch", "operator", False)),
        crashes=0,
    )


def stopped_tranche() -> Scenario:
    """A halt against a tranche."""
    return added_and_sold(
        name="halt against a tranche",
        processes=(adds("tick", slot_of()), stops("operator", "one", BotState.HALTED)),
        crashes=0,
    )


def sold_late() -> Scenario:
    """A sale that is claimed at once, and started again when its time to be sent is over."""
    return added_and_sold(
        name="a sale started twice",
        processes=(
            exits("stop loss", Reason.STOP_LOSS, slot_of(), looks=0),
            exits("person", Reason.MANUAL_EXIT, slot_of(), looks=0),
        ),
        moments=(0, 28),
    )


def sold_and_given_up() -> Scenario:
    """A worker of a sale that stands still before the gate until a looker gave it up and somebody else sells."""
    bought = next(row for row in tranche().rows if isinstance(row, Intent))
    name = exit_intent_id(entry_intent_id=bought.intent_id, attempt=0)
    return added_and_sold(
        name="a sale given up twice",
        processes=(
            exits("stop loss", Reason.STOP_LOSS, slot_of(), looks=0),
            ("settle", "looker", name, 1),
            exits("person", Reason.MANUAL_EXIT, slot_of(), looks=0),
        ),
        moments=(0, 46),
        crashes=0,
    )


def frozen() -> Scenario:
    """A position that is frozen while somebody sells it."""
    return added_and_sold(
        name="frozen and sold",
        processes=(exits("person", Reason.MANUAL_EXIT, slot_of()), ("freeze", "operator", slot_of())),
        crashes=0,
    )


def dusty(**changes: object) -> Scenario:
    """A position too small to be sold: the exit watch closes it while a tick adds to it."""
    base = added_and_sold(
        name="dust and a tranche",
        constants=constants(step="3"),
        bid=Decimal(110),
        processes=(("watch", "watch", 0), adds("tick", slot_of())),
        crashes=0,
        habits=Habits(fills=(2,), faults=frozenset()),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def dusty_again() -> Scenario:
    """Two watches see the dust, and a position of the same size follows it."""
    return dusty(
        name="dust, and the next position",
        processes=(("watch", "watch", 0), ("watch", "watch again", 0), workflow("next", entry(), looks=0)),
    )
