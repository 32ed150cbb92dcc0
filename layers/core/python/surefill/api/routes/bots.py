"""Bots: their definition, their state, and what they decided."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query

from surefill.api.bodies import BotBody, BotChangeBody, EvaluateBody, SimulateBody
from surefill.api.pages import Limit, Next, cursor_of, shown_page
from surefill.api.services import new_router, services_of
from surefill.api.shown import shown_bot, shown_slot
from surefill.domain.kinds import BotState
from surefill.domain.rows import Bot, JournalEntry
from surefill.domain.times import minute_of
from surefill.listings import JOURNAL_OF_BOT
from surefill.usecases.batches import encode
from surefill.usecases.control.errors import RequestRefusedError
from surefill.usecases.control.lists import filtered
from surefill.usecases.control.prices import last_prices
from surefill.usecases.dispatch import batches

router = new_router()
Account = Annotated[str | None, Query(max_length=200, description="only those of this account")]
Symbol = Annotated[str | None, Query(max_length=200, description="only those of this symbol")]
# Reasons whose first word says that a rule, not the market, stood in the way.
_RISK = frozenset({"budget", "limit", "claim", "gate", "sizing", "stopped", "account", "position", "market"})


@router.post("/bots")
def create_bot(body: BotBody) -> dict[str, Any]:
    """Create a bot; it is paused until started, unless `auto_start` is set."""
    return _shown(services_of(router).bots.create(body.spec()))


@router.get("/bots")
def list_bots(account: Account = None, limit: Limit = 50, after: Next = None) -> dict[str, Any]:
    """The bots of one account or of all."""
    directory = services_of(router).directory
    page = directory.bot_page(account_id=account, limit=limit, after=cursor_of(after, sizes=(1, 2)))
    return shown_page(page, _shown)


@router.get("/bots/<bot_id>")
def read_bot(bot_id: str) -> dict[str, Any]:
    """One bot with its places on its symbols."""
    services = services_of(router)
    bot = services.bots.bot(bot_id)
    prices = last_prices(services.store, now=services.clock.now())
    return {**_shown(bot), "slots": [shown_slot(slot, prices=prices) for slot in services.bots.slots(bot)]}


@router.patch("/bots/<bot_id>")
def change_bot(bot_id: str, body: BotChangeBody) -> dict[str, Any]:
    """Change a bot's definition. Open positions keep the terms they were opened with.

    Strategy, params and timeframe change only while the bot is not ACTIVE and holds nothing.
    """
    return _shown(services_of(router).bots.change(bot_id, body.given()))


@router.delete("/bots/<bot_id>")
def delete_bot(bot_id: str) -> dict[str, Any]:
    """Delete a bot that holds nothing; its history stays."""
    services_of(router).bots.delete(bot_id)
    return {"bot_id": bot_id, "deleted": True}


@router.post("/bots/<bot_id>/start")
def start_bot(bot_id: str) -> dict[str, Any]:
    """Let a bot trade; it is evaluated at once."""
    return _put_into(bot_id, BotState.ACTIVE)


@router.post("/bots/<bot_id>/pause")
def pause_bot(bot_id: str) -> dict[str, Any]:
    """Evaluate a bot no more; its exits go on."""
    return _put_into(bot_id, BotState.PAUSED)


@router.post("/bots/<bot_id>/drain")
def drain_bot(bot_id: str) -> dict[str, Any]:
    """Let a bot exit but not enter."""
    return _put_into(bot_id, BotState.DRAINING)


@router.post("/bots/<bot_id>/halt")
def halt_bot(bot_id: str) -> dict[str, Any]:
    """Let a bot send nothing at all, exits included."""
    return _put_into(bot_id, BotState.HALTED)


@router.post("/bots/<bot_id>/evaluate")
def evaluate_bot(bot_id: str, body: EvaluateBody) -> dict[str, Any]:
    """Evaluate a bot now: for real through the queue, or dry, without a trace."""
    if body.dry:
        return _simulated(bot_id, SimulateBody())
    bot = services_of(router).bots.evaluate(bot_id)
    return {"bot_id": bot_id, "queued": list(bot.symbols)}


@router.post("/bots/<bot_id>/simulate")
def simulate_bot(bot_id: str, body: SimulateBody) -> dict[str, Any]:
    """What the bot would do now, or on a given signal: the real evaluation on live data, writing nothing."""
    return _simulated(bot_id, body)


@router.get("/bots/<bot_id>/decisions")
def decisions(bot_id: str, symbol: Symbol = None, limit: Limit = 50, after: Next = None) -> dict[str, Any]:
    """The bot's changes of decision, newest first; refusals of claims are among them."""
    return _journal(bot_id, symbol, limit, after, kinds=("decision", "claim"))


@router.get("/bots/<bot_id>/risk-events")
def risk_events(bot_id: str, symbol: Symbol = None, limit: Limit = 50, after: Next = None) -> dict[str, Any]:
    """What a limit, a gate or a stop refused or changed, newest first."""
    return _journal(bot_id, symbol, limit, after, kinds=("decision", "claim", "stop", "exit"), risk=True)


@router.get("/bots/<bot_id>/exit-events")
def exit_events(bot_id: str, symbol: Symbol = None, limit: Limit = 50, after: Next = None) -> dict[str, Any]:
    """Exits that were started or hindered, and changes of their levels, newest first."""
    return _journal(bot_id, symbol, limit, after, kinds=("exit",))


def _put_into(bot_id: str, state: BotState) -> dict[str, Any]:
    return _shown(services_of(router).bots.set_state(bot_id, state=state))


def _shown(bot: Bot) -> dict[str, Any]:
    return shown_bot(bot, now=services_of(router).clock.now())


def _simulated(bot_id: str, asked: SimulateBody) -> dict[str, Any]:
    services = services_of(router)
    bot = services.bots.bot(bot_id)
    if asked.symbol is not None and asked.symbol not in bot.symbols:
        known = ", ".join(bot.symbols)
        raise RequestRefusedError("symbol", f"symbol must be one of {known}, was {asked.symbol!r}")
    made = batches([bot], tick=minute_of(services.clock.now()))
    bodies = [body for batch in made if asked.symbol in (None, batch.symbol) for body in encode(batch)]
    event: dict[str, object] = {"batches": bodies, "signal": asked.signal}
    told = services.functions.ask("evaluate", {"dry_run": event})
    return {"bot_id": bot_id, "dry": True, "results": told["results"]}


def _journal(
    bot_id: str, symbol: str | None, limit: int, after: str | None, *, kinds: tuple[str, ...], risk: bool = False
) -> dict[str, Any]:
    def keep(entry: JournalEntry) -> bool:
        if symbol is not None and entry.symbol != symbol:
            return False
        return entry.kind.startswith(kinds) and (not risk or entry.reason.partition(".")[0] in _RISK)

    services = services_of(router)
    services.bots.bot(bot_id)
    start = cursor_of(after, sizes=(1,))
    return shown_page(filtered(services.store, JOURNAL_OF_BOT, bot_id, keep=keep, limit=limit, after=start))
