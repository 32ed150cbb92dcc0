"""The list of protections."""

from functools import partial

from surefill.usecases import place, settle
from surefill.usecases.place import Placer
from surefill.usecases.settle import Settler
from tests.model.process import ScriptedVenue
from tests.model.stages import Stages
from tests.protections import small, steps
from tests.protections.backing import COVERS, FINISHED, FREE_IDS, GATE, LEDGER, SLOT
from tests.protections.positions import ADDING, LIMITING
from tests.protections.table import Patch, Protection

_SENDING = (
    Protection(name="send gate", why="one worker of many may post", scenario=small.twice, guards=("not_sent_yet",)),
    Protection(
        name="fence: wait before an absence counts",
        why="an order may be accepted until its window ends, and be seen later still",
        scenario=small.looked_for,
        patches=(Patch(owner=settle, name="WINDOW", value=-settle.VISIBILITY_LAG * 2),),
    ),
    Protection(
        name="fence: signed with the time of the gate",
        why="a sender that stood still must be refused by the venue",
        scenario=small.paused_sender,
        patches=(Patch(owner=Placer, name="_post", value=steps.posted_now),),
    ),
    Protection(
        name="fence: the receive window is sent",
        why="a request that hung in the network must be refused by the venue",
        scenario=small.paused_sender,
        patches=(Patch(owner=Placer, name="_post", value=steps.posted_for_a_minute),),
    ),
    Protection(
        name="nothing is sent near its deadline",
        why="from the deadline on an unsent order is given up",
        scenario=small.too_late,
        patches=(Patch(owner=place, name="WINDOW", value=-settle.VISIBILITY_LAG * 9),),
    ),
    Protection(
        name="no retry of place",
        why="a second call must not post again",
        scenario=small.alone,
        stages=Stages(after_crash_of_place="place"),
        backed_by=(
            Protection(
                name="a worker's name is of one invocation",
                why="",
                scenario=small.alone,
                stages=Stages(replaced={"place": steps.same_worker}),
            ),
        ),
        law="I4",
    ),
    Protection(
        name="a worker's name is of one invocation",
        why="a retry must not pass for the first call",
        scenario=small.alone,
        stages=Stages(replaced={"place": steps.same_worker}),
        backed_by=(
            Protection(
                name="no retry of place", why="", scenario=small.alone, stages=Stages(after_crash_of_place="place")
            ),
        ),
        law="I4",
    ),
    Protection(
        name="rejected only from the allow-list",
        why="what failed may have been accepted",
        scenario=small.shaky,
        patches=(Patch(owner=ScriptedVenue, name="post", value=steps.unknown_is_rejected),),
    ),
    Protection(
        name="outcome_open: a mark never undoes an end",
        why="a slow worker marks what was finished meanwhile",
        scenario=small.unmarked,
        guards=("outcome_open",),
    ),
)

_LOOKING = (
    Protection(
        name="look-up before void",
        why="what was sent may be filled",
        scenario=small.shaky,
        patches=(Patch(owner=Settler, name="_look", value=steps.void_unseen),),
    ),
    Protection(
        name="absent twice",
        why="one look may meet an old copy",
        scenario=small.stale,
        patches=(Patch(owner=Settler, name="_denied", value=steps.denied_once),),
    ),
    Protection(
        name="trace before void",
        why="a look-up by id may know less than the lists",
        scenario=small.blind,
        patches=(Patch(owner=ScriptedVenue, name="find_trace", value=steps.no_trace),),
    ),
    Protection(
        name="a failed look is no denial",
        why="while the venue does not answer nothing is concluded",
        scenario=small.silent,
        patches=tuple(
            Patch(owner=ScriptedVenue, name=look, value=steps.failure_is_absence(look))
            for look in ("find", "find_trace")
        ),
    ),
    Protection(
        name="only finished orders are booked",
        why="a resting order goes on filling",
        scenario=small.resting,
        patches=(Patch(owner=Settler, name="_found", value=steps.found_is_finished),),
    ),
    Protection(
        name="absence_stands",
        why="evidence must still be there when it is used",
        scenario=small.lying,
        guards=("absence_stands",),
        backed_by=(FINISHED,),
        law="I8 an intent goes one way: ACCEPTED to VOID",
    ),
)

_BOOKING = (
    Protection(
        name="conditional record (intent_not_finished)",
        why="only a listed predecessor may end",
        scenario=small.unsent_and_swept,
        guards=("intent_not_finished",),
    ),
    Protection(
        name="slot guards (state, owner, quantity)",
        why="an end that comes twice must not empty what came after",
        scenario=small.unsent_and_swept,
        guards=("slot_in_state", "slot_is_ours", "quantity_unchanged"),
        backed_by=(FINISHED, LEDGER, COVERS),
        law="I2 deployed",
    ),
    Protection(
        name="slot_is_ours",
        why="an end that comes twice must not empty the slot of the next order",
        scenario=small.unsent_and_followed,
        guards=("slot_is_ours",),
        backed_by=(FINISHED, LEDGER, COVERS),
        law="I2 reserved",
    ),
    Protection(
        name="ledger natural key",
        why="one change is told once",
        scenario=small.unsent_and_swept,
        guards=("is_new",),
        backed_by=(FINISHED, SLOT, COVERS),
        law="I11 the ledger tells",
    ),
    Protection(
        name="reserved_covers",
        why="money is given back once",
        scenario=small.unsent_and_swept,
        guards=("reserved_covers",),
        backed_by=(FINISHED, SLOT, LEDGER),
        law="I1 no balance is negative",
    ),
    Protection(
        name="deployed_covers",
        why="a position is repaid once",
        scenario=small.sold_by_two,
        guards=("deployed_covers",),
        backed_by=(FINISHED, SLOT, LEDGER),
        law="I1 no balance is negative",
    ),
    Protection(
        name="sent_by_us",
        why="only who posted knows that nothing was left",
        scenario=small.refused_twice,
        guards=("sent_by_us",),
        backed_by=(GATE,),
        law="I9 an order is taken back",
    ),
)

_CLAIMING = (
    Protection(
        name="deterministic ids of entries",
        why="a signal delivered again meets its own order",
        scenario=small.twice,
        without=small.redelivered,
    ),
    Protection(
        name="intent_is_new",
        why="an order that ended is not begun again",
        scenario=small.sold_and_signalled,
        guards=("intent_is_new",),
        backed_by=(LEDGER,),
        law="I8 an intent",
    ),
    Protection(
        name="slot_empty", why="one position per bot and symbol", scenario=small.two_signals, guards=("slot_empty",)
    ),
    Protection(
        name="available_covers", why="no money is spent twice", scenario=small.poor, guards=("available_covers",)
    ),
    Protection(
        name="entries_allowed", why="no claim after the switch", scenario=small.switched, guards=("entries_allowed",)
    ),
    Protection(
        name="the switch is read before the post",
        why="what was claimed before the switch is not sent after it",
        scenario=small.switched,
        patches=(Patch(owner=Placer, name="_entries_allowed", value=steps.always_allowed),),
    ),
    Protection(name="bot_active", why="a paused bot buys nothing", scenario=small.stopped, guards=("bot_active",)),
    Protection(
        name="limit of positions",
        why="the limit holds between two bots",
        scenario=partial(small.two_bots, max_open_positions=1),
        guards=("open_positions_below_limit",),
    ),
    Protection(
        name="limit of trades",
        why="the limit holds between two bots",
        scenario=partial(small.two_bots, max_trades_per_day=1),
        guards=("trades_below_limit",),
    ),
    Protection(
        name="limit of the day's loss",
        why="who lost enough today buys nothing more",
        scenario=partial(small.two_bots, max_daily_loss=10, loss_today=10),
        guards=("loss_below_limit",),
    ),
    Protection(
        name="day_unchanged",
        why="a day begins once",
        scenario=partial(small.two_bots, day="2026-01-04"),
        guards=("day_unchanged",),
    ),
)

_EXITING = (
    Protection(
        name="claim on exit (slot_open, same_attempt)",
        why="take profit, stop loss and a person can't both sell",
        scenario=small.sold_by_two,
        guards=("slot_open", "same_attempt"),
        backed_by=(FREE_IDS,),
        law="I10",
    ),
    Protection(
        name="deterministic exit ids",
        why="two who want a position sold are one sale",
        scenario=small.sold_by_two,
        stages=Stages(replaced={"exit": steps.named_at_random}),
        backed_by=(
            Protection(name="claim on exit", why="", scenario=small.sold_by_two, guards=("slot_open", "same_attempt")),
        ),
        law="I10",
    ),
    Protection(
        name="same_attempt",
        why="an attempt that ended is not begun again",
        scenario=small.sold_by_two,
        guards=("same_attempt",),
        backed_by=(Protection(name="intent_is_new", why="", scenario=small.sold_by_two, guards=("intent_is_new",)),),
        law="I8 an intent",
    ),
    Protection(
        name="same_position",
        why="a sale planned on the position before does not sell this one",
        scenario=small.wrong_position,
        guards=("same_position",),
    ),
    Protection(
        name="quantity_covers",
        why="no more is sold than the position holds",
        scenario=small.too_much,
        guards=("quantity_covers",),
    ),
)

PROTECTIONS = (*_SENDING, *_LOOKING, *_BOOKING, *_CLAIMING, *_EXITING, *ADDING, *LIMITING)
