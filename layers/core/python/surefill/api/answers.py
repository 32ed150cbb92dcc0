"""What every route answers when it did what it was asked, as JSON Schema.

Not loaded when the function runs: the API's description takes it from here, and tests hold each route against it. A
route that shows a dataclass is described by its fields; what a route adds or leaves out is said here.
"""

from collections.abc import Mapping

from surefill.api.schemas import (
    AMOUNT,
    COUNT,
    FLAG,
    TEXT,
    TIME,
    Schema,
    Schemas,
    always,
    by_name,
    less,
    listed,
    more,
    only,
    or_null,
    perhaps,
    thing,
)
from surefill.domain.kinds import Leg, Side, StopKind
from surefill.domain.records import Closing, PastTrade, Stop
from surefill.domain.rows import Account, Bot, Budget, Fill, Intent, JournalEntry, LedgerEntry, Slot
from surefill.domain.signals import Alert
from surefill.strategies.loading import Problem
from surefill.usecases.control.schedules import ScheduleState
from surefill.usecases.control.simulate import Simulated
from surefill.usecases.control.timeline import Timeline
from surefill.usecases.explain.model import Explanation, Link
from surefill.usecases.explain.readiness import Readiness
from surefill.usecases.statistics import Statistics

_known = Schemas()
_NEXT = {"description": "token of the next page, null after the last", **or_null(TEXT)}


def _page(items: Schema) -> Schema:
    return thing({"items": listed(items), "next": _NEXT})


def _pages(items: Schema) -> Schema:
    """A page of a named schema, under a name of its own."""
    return _known.name(items["$ref"].rpartition("/")[2] + "Page", _page(items))


def _named(name: str, says: str, schema: Schema) -> Schema:
    return _known.name(name, {**schema, "description": says})


_ACCOUNT, _BUDGET, _INTENT = _known.of(Account), _known.of(Budget), _known.of(Intent)
_STOP, _LINK, _SCHEDULE, _STATISTICS = map(_known.of, (Stop, Link, ScheduleState, Statistics))
_STRATEGY_PROBLEM = _known.name("StrategyProblem", _known.fields_of(Problem))

_bot = more(
    less(_known.fields_of(Bot), "hook_hash", "cadence_key"),
    takes_alerts=FLAG,
    next_run_at={"description": "null while it is not evaluated", **or_null(TIME)},
)
_BOT = _known.name("Bot", _bot)
_SLOT = _known.name(
    "Slot",
    perhaps(
        more(less(_known.fields_of(Slot), "open_key", "slot_key"), venue=TEXT, symbol=TEXT),
        bid={"description": "the last one seen, in quote", **AMOUNT},
        unrealised={"description": "what selling all at `bid` would bring above `cost`, before fees", **AMOUNT},
        priced_at={"description": "when `bid` was seen; without a price all three are absent", **TIME},
    ),
)
_BOT_WITH_SLOTS = _named("BotWithSlots", "A bot with its places on its symbols.", more(_bot, slots=listed(_SLOT)))

_BOT_FILL = _named(
    "BotFill",
    "A fill with the order it belongs to.",
    more(_known.fields_of(Fill), intent_id=TEXT, symbol=TEXT, side=_known.of(Side), leg=_known.of(Leg)),
)
_sold = only(
    _known.fields_of(Intent),
    *("intent_id", "bot_id", "symbol", "rung", "entry_intent_id", "opened_at", "finished_at", "reason", "basis"),
    *("realised", "filled_quantity", "filled_cost", "part"),
)
_SALE = _named(
    "Sale",
    "A finished sale: what the part that was sold had cost (`basis`), and what it realised.",
    {**_sold, "required": [*_sold["required"], "realised"]},
)

_DRY_RUN = _named(
    "DryRun",
    "What an evaluation would come to, symbol by symbol.",
    thing({"bot_id": TEXT, "dry": always(True), "results": listed(_known.of(Simulated))}),
)
_QUEUED = _named(
    "Queued", "The symbols that are evaluated in a moment.", thing({"bot_id": TEXT, "queued": listed(TEXT)})
)
_HOOK = thing({"bot_id": TEXT, "path": TEXT, "token": {"description": "shown this once, stored nowhere", **TEXT}})
_NO_HOOK = thing({"bot_id": TEXT, "takes_alerts": always(False)})
_IMPORT = thing({"account_id": TEXT, "started": always(True), "symbols": listed(TEXT), "since": TIME})

_READINESS = _known.name("Readiness", more(_known.fields_of(Readiness), ready=FLAG, problem=or_null(_LINK)))
_EXPLANATION = _known.name("Explanation", more(_known.fields_of(Explanation), healthy=FLAG, verdict=_LINK))
_PRESSED = _named(
    "PressedStop",
    "A stop, with the orders it took back before they were sent and those the venue has already.",
    more(_known.fields_of(Stop), taken_back=COUNT, at_venue=COUNT),
)
_STOPS = more(_page(_STOP), standing={"description": "ids of all stops that stand", **listed(TEXT)})
_STOP_WITH_CLOSINGS = more(_page(_known.of(Closing)), stop=_STOP)

_STRATEGY = _named(
    "Strategy",
    "An installed strategy.",
    thing(
        {
            "name": TEXT,
            "description": TEXT,
            "source": {"description": "built-in, an entry point, or a file", **TEXT},
            "default_timeframe": TEXT,
            "default_interval_seconds": COUNT,
            "holds_without_stop": FLAG,
            "takes_alerts": FLAG,
            "params": {"description": "the JSON Schema of its parameters", "type": "object"},
        }
    ),
)
_COMPARED = _named(
    "ComparedAccount",
    "An account as it was last compared with its venue.",
    only(
        _known.fields_of(Account),
        *("account_id", "state", "state_reason", "reconciled_at", "differences", "balances"),
    ),
)
_RECONCILED = thing({"dry": FLAG, "started": listed(TEXT), "accounts": listed(_COMPARED)})

_WELL = {"ok": FLAG, "problems": {"description": "one sentence each", **listed(TEXT)}}
_ACCOUNT_HEALTH = _named(
    "AccountHealth",
    "Whether an account is in order.",
    only(
        _known.fields_of(Account),
        *("account_id", "state", "state_reason", "reconciled_at", "retry_at", "differences"),
    ),
)
_CLOCK = {"description": "how far it is ahead of ours; null when it was never told", **or_null(COUNT)}
_DEAD = {"description": "messages that failed for good, by function; null when their queues do not answer"}
_HEALTH = _named(
    "Health",
    "All that trading rests on, and what is wrong with it.",
    thing(
        {
            **_WELL,
            "tables": {"description": '"ok", or what is wrong with the table', **by_name(TEXT)},
            "evaluations_waiting": {"description": "null when the queue does not answer", **or_null(COUNT)},
            "dead_letters": {**_DEAD, **or_null(by_name(COUNT))},
            "schedules": listed(_SCHEDULE),
            "accounts": listed(_ACCOUNT_HEALTH),
            "venues": listed(thing({"venue": TEXT, "clock_skew_ms": _CLOCK})),
            "secrets": listed(
                thing({"account_id": TEXT, "readable": {"description": "null: not tried yet", **or_null(FLAG)}})
            ),
            "stops": listed(thing({"stop_id": TEXT, "kind": _known.of(StopKind), "target": TEXT})),
        }
    ),
)

ANSWERS: Mapping[str, Schema] = {
    "POST /accounts": _ACCOUNT,
    "GET /accounts": _pages(_ACCOUNT),
    "GET /accounts/{account_id}": _ACCOUNT,
    "POST /accounts/{account_id}/import": _IMPORT,
    "GET /accounts/{account_id}/trades": _pages(_known.of(PastTrade)),
    "GET /accounts/{account_id}/statistics": _STATISTICS,
    "POST /budgets": _BUDGET,
    "GET /budgets": _pages(_BUDGET),
    "GET /budgets/{budget_id}": _BUDGET,
    "PATCH /budgets/{budget_id}": _BUDGET,
    "POST /budgets/{budget_id}/fund": _BUDGET,
    "POST /budgets/{budget_id}/withdraw": _BUDGET,
    "POST /budgets/{budget_id}/shrink": _BUDGET,
    "POST /budgets/{budget_id}/entries/{switch}": _BUDGET,
    "GET /budgets/{budget_id}/ledger": _pages(_known.of(LedgerEntry)),
    "GET /budgets/{budget_id}/dust": _pages(_known.of(LedgerEntry)),
    "GET /budgets/{budget_id}/statistics": _STATISTICS,
    "POST /bots": _BOT,
    "GET /bots": _pages(_BOT),
    "GET /bots/{bot_id}": _BOT_WITH_SLOTS,
    "PATCH /bots/{bot_id}": _BOT,
    "DELETE /accounts/{account_id}": thing({"account_id": TEXT, "deleted": always(True)}),
    "DELETE /bots/{bot_id}": thing({"bot_id": TEXT, "deleted": always(True)}),
    "POST /bots/{bot_id}/start": _BOT,
    "POST /bots/{bot_id}/pause": _BOT,
    "POST /bots/{bot_id}/drain": _BOT,
    "POST /bots/{bot_id}/halt": _BOT,
    "POST /bots/{bot_id}/evaluate": {"anyOf": [_QUEUED, _DRY_RUN]},
    "POST /bots/{bot_id}/simulate": _DRY_RUN,
    "GET /bots/{bot_id}/decisions": _pages(_known.of(JournalEntry)),
    "GET /bots/{bot_id}/risk-events": _pages(_known.of(JournalEntry)),
    "GET /bots/{bot_id}/exit-events": _pages(_known.of(JournalEntry)),
    "GET /bots/{bot_id}/orders": _pages(_INTENT),
    "GET /bots/{bot_id}/fills": _pages(_BOT_FILL),
    "GET /bots/{bot_id}/positions/closed": _pages(_SALE),
    "GET /bots/{bot_id}/why": _EXPLANATION,
    "GET /bots/{bot_id}/readiness": thing({"bot_id": TEXT, "ready": FLAG, "items": listed(_READINESS)}),
    "GET /bots/{bot_id}/statistics": _STATISTICS,
    "POST /bots/{bot_id}/hook": _HOOK,
    "DELETE /bots/{bot_id}/hook": _NO_HOOK,
    "POST /hooks/{bot_id}": thing({"bot_id": TEXT, "alert": _known.of(Alert)}),
    "GET /orders/{intent_id}": _INTENT,
    "GET /orders/{intent_id}/timeline": _known.of(Timeline),
    "GET /reservations": _pages(_INTENT),
    "GET /positions": _pages(_SLOT),
    "PATCH /positions": _SLOT,
    "POST /positions/close": _INTENT,
    "POST /panic": _PRESSED,
    "POST /resume": _STOP,
    "GET /panic": _STOPS,
    "GET /panic/{stop_id}": _STOP_WITH_CLOSINGS,
    "GET /schedules": thing({"running": FLAG, "items": listed(_SCHEDULE)}),
    "GET /strategies": thing({"items": listed(_STRATEGY), "problems": listed(_STRATEGY_PROBLEM)}),
    "GET /strategies/{name}": _STRATEGY,
    "POST /reconcile": _RECONCILED,
    "GET /health": thing(_WELL),
    "GET /health/detailed": _HEALTH,
}
COMPONENTS: Mapping[str, Schema] = _known.named
