"""Models of an open position that grows and shrinks: tranches, sales of a part, everything closed at once."""

from dataclasses import replace
from decimal import Decimal

from surefill.domain.kinds import BotState, OrderKind
from surefill.domain.reasons import Reason
from surefill.domain.rows import Row, Slot
from surefill.domain.rules import ExitRules, LadderStep
from tests.model.frame import at, bot, budget, entry, position, slot_of
from tests.model.scenario import Scenario
from tests.model.stages import adds, exits, parts, stops, sweeper, workflow
from tests.model.venue import Habits, Order, Venue


def held(bot_id: str = "one") -> tuple[tuple[Row, ...], Venue]:
    """A bot with an open position and the budget that paid it, and the venue at which it was bought."""
    bought, slot, money = position(bot_id)
    order = Order(bought.intent_id, True, bought.quantity, 2, False, bought.created_at)
    return (bought, slot, money, bot(bot_id)), Venue(orders=(order,), posts=(bought.intent_id,))


def tranche(**changes: object) -> Scenario:
    """A tick that adds, delivered twice, while the position reaches its take profit."""
    rows, venue = held()
    base = Scenario(
        name="tranche delivered twice against a take profit",
        rows=rows,
        venue=venue,
        processes=(
            adds("tick", slot_of()),
            adds("tick again", slot_of()),
            exits("take profit", Reason.TAKE_PROFIT, slot_of()),
        ),
        moments=(0, 28),
        crashes=0,
        faults=0,
        habits=Habits(fills=(2, 1, 0), faults=frozenset()),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def tranche_swept(**changes: object) -> Scenario:
    """A tranche with all that can go wrong on its way, a person who closes, and the sweeper."""
    base = tranche(
        name="tranche against a person, sweeper",
        processes=(
            adds("tick", slot_of()),
            exits("person", Reason.MANUAL_EXIT, slot_of(), looks=0),
            sweeper("sweeper"),
        ),
        moments=(0, 46),
        crashes=1,
        faults=1,
        habits=Habits(fills=(2, 1), faults=frozenset({"reply lost", "request lost", "delayed"})),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def two_tranches(**changes: object) -> Scenario:
    """Two ticks, one after the other, that both want one more, and the sweeper."""
    base = tranche(
        name="two ticks, one tranche, sweeper",
        processes=(adds("tick", slot_of()), adds("next tick", slot_of(), minute=2), sweeper("sweeper")),
        moments=(0, 46),
        crashes=1,
        faults=1,
        habits=Habits(fills=(2, 0), faults=frozenset({"reply lost", "not sent"})),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def reduction(**changes: object) -> Scenario:
    """A strategy sells a part while the stop loss wants everything sold."""
    base = tranche(
        name="sale of a part against a stop loss, sweeper",
        processes=(
            parts("strategy", slot_of()),
            exits("stop loss", Reason.STOP_LOSS, slot_of()),
            sweeper("sweeper"),
        ),
        moments=(0, 46),
        crashes=1,
        faults=1,
        habits=Habits(fills=(2, 1), faults=frozenset({"reply lost", "request lost"})),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def ladder(**changes: object) -> Scenario:
    """The exit watch sells step after step of a ladder while a person closes and a tick adds."""
    rules = ExitRules(
        ladder=(
            LadderStep(percent=Decimal(5), share=Decimal("0.5")),
            LadderStep(percent=Decimal(8), share=Decimal("0.25")),
        )
    )
    rows, venue = held()
    with_ladder = (
        replace(row, exit_rules=rules, take_profit=None, take_profit_percent=None) if isinstance(row, Slot) else row
        for row in rows
    )
    base = tranche(
        name="ladder against a person and a tranche",
        rows=tuple(with_ladder),
        venue=venue,
        bid=Decimal(110),
        processes=(
            ("watch", "watch", 0),
            exits("person", Reason.MANUAL_EXIT, slot_of(), looks=0),
            adds("tick", slot_of(), looks=0),
            ("watch", "watch again", 0),
        ),
        moments=(0,),
        habits=Habits(fills=(2,), faults=frozenset()),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def halted(**changes: object) -> Scenario:
    """Entries are switched off and the bot is halted while a tranche, an entry and a sale are on their way."""
    rows, venue = held()
    base = tranche(
        name="kill switch and halt while adding, buying and selling",
        rows=(*rows, bot("two")),
        venue=venue,
        processes=(
            adds("tick", slot_of(), looks=0),
            workflow("bot two", entry("two"), looks=0),
            exits("person", Reason.MANUAL_EXIT, slot_of(), looks=0),
            ("switch", "operator", False),
            stops("operator 2", "one", BotState.HALTED),
        ),
        moments=(0,),
        habits=Habits(fills=(2,), faults=frozenset()),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def two_held(**changes: object) -> tuple[tuple[Row, ...], Venue]:
    """Two bots on one budget, each with an open position."""
    rows, venue = held()
    bought, slot, _ = position("two")
    money = budget(800, funded=Decimal(1_200), deployed=Decimal(400), open_positions=2, trades_today=2)
    order = Order(bought.intent_id, True, bought.quantity, 2, False, bought.created_at)
    placed = Venue(orders=(*venue.orders, order), posts=tuple(sorted((*venue.posts, bought.intent_id))))
    return (rows[0], rows[1], replace(money, **changes), rows[3], bought, slot, bot("two")), placed  # type: ignore[arg-type]


def close_all(**changes: object) -> Scenario:
    """Everything is to be sold, asked for twice, with the switch off and a tranche on its way."""
    rows, venue = two_held()
    base = tranche(
        name="everything closed, asked for twice, and a tranche",
        rows=rows,
        venue=venue,
        processes=(
            ("switch", "operator", False),
            exits("panic", Reason.MANUAL_EXIT, slot_of(), looks=0),
            exits("panic two", Reason.MANUAL_EXIT, slot_of("two"), looks=0),
            exits("panic again", Reason.MANUAL_EXIT, slot_of(), looks=0),
            adds("tick", slot_of(), looks=0),
        ),
        moments=(0,),
        habits=Habits(fills=(2,), faults=frozenset()),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def losses(**changes: object) -> Scenario:
    """Two positions are sold at a loss on a new day, whose first numbers these are."""
    rows, venue = two_held(day="2026-01-04", loss_today=Decimal(7))
    base = tranche(
        name="two losses that begin a day",
        rows=rows,
        venue=venue,
        processes=(
            exits("stop loss", Reason.STOP_LOSS, slot_of()),
            exits("stop loss two", Reason.STOP_LOSS, slot_of("two")),
        ),
        moments=(0,),
        crashes=1,
        habits=Habits(fills=(2,), faults=frozenset(), sell_price=Decimal(90)),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def three_settlers(**changes: object) -> Scenario:
    """The workflow, the sweeper and a person's "sync now" settle the same order."""
    first = entry()
    base = Scenario(
        name="settled from three places",
        rows=(budget(), bot()),
        processes=(workflow("first", first), sweeper("sweeper"), ("settle", "sync now", first.intent_id, 2)),
        moments=(0, 28, 46),
        crashes=1,
        faults=1,
        habits=Habits(fills=(2,), faults=frozenset({"reply lost", "request lost"})),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def rung(**changes: object) -> Scenario:
    """A grid's resting buy on one of two rungs: it fills in parts, or its time is over and it is cancelled."""
    resting = replace(entry(kind=OrderKind.LIMIT), rung="r1", rests_until=at(120))
    base = Scenario(
        name="rung of a grid, rests and is cancelled",
        rows=(budget(), bot()),
        processes=(workflow("first", resting), workflow("second", resting, looks=0), sweeper("sweeper", passes=2)),
        moments=(0, 130),
        crashes=0,
        faults=0,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def commit() -> tuple[Scenario, ...]:
    """The models of every commit."""
    return (
        tranche(),
        tranche_swept(),
        two_tranches(),
        reduction(crashes=0),
        ladder(),
        halted(),
        close_all(),
        losses(),
        three_settlers(),
        rung(),
    )


def soak() -> tuple[Scenario, ...]:
    """Larger ones."""
    return (
        tranche(crashes=1, faults=1, habits=Habits(fills=(2, 1, 0))),
        tranche_swept(moments=(0, 16, 28, 46)),
        two_tranches(moments=(0, 28, 46), faults=2),
        reduction(),
        ladder(moments=(0, 28), crashes=1),
        halted(moments=(0, 28), crashes=1),
        close_all(moments=(0, 28), crashes=1),
        three_settlers(moments=(0, 16, 28, 46)),
        rung(moments=(0, 130, 192)),
    )
