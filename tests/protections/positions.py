"""Protections of positions that grow, and of the limits."""

from decimal import Decimal
from functools import partial

from surefill.usecases import book
from surefill.usecases.place import Placer
from tests.model.positions import losses
from tests.protections import growing, small, steps
from tests.protections.backing import COVERS, FINISHED, LEDGER, SLOT
from tests.protections.table import Patch, Protection

_POSITION = Protection(
    name="state and owner",
    why="",
    scenario=growing.added_and_sold,
    guards=("slot_open", "slot_in_state", "slot_is_ours"),
)

ADDING = (
    Protection(
        name="claim on a tranche (slot_open)",
        why="a position that is being sold is not added to, and the other way round",
        scenario=growing.added_and_sold,
        guards=("slot_open",),
        law="I8 a slot",
    ),
    Protection(
        name="same_position on a tranche",
        why="a tranche planned on the position before does not grow this one",
        scenario=growing.wrong_tranche,
        guards=("same_position",),
    ),
    Protection(
        name="same_tranche",
        why="two ticks that both want one more get one",
        scenario=growing.two_ticks,
        guards=("same_tranche",),
    ),
    Protection(
        name="quantity_unchanged on a tranche",
        why="what was sold between the look and the record is not there any more",
        scenario=growing.added_and_half_sold,
        guards=("quantity_unchanged",),
        backed_by=(_POSITION,),
        law="I6 a position is what",
    ),
    Protection(
        name="slot guards of a tranche (state, owner, quantity)",
        why="an end that comes twice must not change what came after",
        scenario=growing.swept_tranche,
        guards=("slot_in_state", "slot_is_ours", "quantity_unchanged"),
        backed_by=(FINISHED, LEDGER, COVERS),
        law="I2 deployed",
    ),
    Protection(
        name="slot guards of a sale given up (state, owner)",
        why="a sale given up twice must not open a position that somebody else sells",
        scenario=growing.sold_and_given_up,
        guards=("slot_in_state", "slot_is_ours"),
        backed_by=(FINISHED,),
        law="I3",
    ),
    Protection(
        name="a tranche counts the sales on",
        why="a sale planned before it would leave what was added behind",
        scenario=growing.added_and_sold,
        patches=(Patch(owner=book, name="record_tranche", value=steps.record_uncounted),),
    ),
    Protection(
        name="entries_allowed on a tranche",
        why="no claim after the switch",
        scenario=growing.switched_tranche,
        guards=("entries_allowed",),
    ),
    Protection(
        name="the switch is read before a tranche is posted",
        why="what was claimed before the switch is not sent after it",
        scenario=growing.switched_tranche,
        patches=(Patch(owner=Placer, name="_entries_allowed", value=steps.always_allowed),),
    ),
    Protection(
        name="bot_active on a tranche",
        why="a halted bot adds nothing",
        scenario=growing.stopped_tranche,
        guards=("bot_active",),
    ),
)

_DUST = (
    Protection(
        name="not_frozen",
        why="what a person froze is not sold",
        scenario=growing.frozen,
        guards=("not_frozen",),
    ),
    Protection(
        name="slot_open on dust",
        why="what is being added to is not dust",
        scenario=growing.dusty,
        guards=("slot_open",),
    ),
    Protection(
        name="quantity_unchanged on dust",
        why="what was added to is not dust",
        scenario=growing.dusty,
        guards=("quantity_unchanged",),
    ),
    Protection(
        name="same_position on dust",
        why="the dust of a position is not the next position",
        scenario=growing.dusty_again,
        guards=("same_position",),
        backed_by=(LEDGER,),
        law="I6 what is in no slot",
    ),
)

LIMITING = (
    *_DUST,
    Protection(
        name="terms_as_claimed",
        why="an order started again with a later deadline is not sent after the one it was claimed with",
        scenario=growing.sold_late,
        guards=("terms_as_claimed",),
    ),
    Protection(
        name="same_day on a sale",
        why="a loss of today is not counted for yesterday",
        scenario=losses,
        guards=("same_day",),
    ),
    Protection(
        name="day_unchanged on a sale",
        why="two losses that begin a day are both counted",
        scenario=losses,
        guards=("day_unchanged",),
    ),
    Protection(
        name="limit of what is exposed",
        why="the limit per asset holds between two bots",
        scenario=small.exposed_bots,
        guards=("exposure_below_limit",),
    ),
    Protection(
        name="amount_covers",
        why="what was exposed is taken back once",
        scenario=small.exposed_and_swept,
        guards=("amount_covers",),
        backed_by=(FINISHED, LEDGER, COVERS, SLOT),
        law="I1 nothing negative",
    ),
    Protection(
        name="limit of the drawdown",
        why="who lost too much altogether buys nothing more",
        scenario=partial(small.two_bots, 989, funded=Decimal(1000), realised=Decimal(-11), realised_floor=Decimal(-10)),
        guards=("drawdown_below_limit",),
    ),
)
