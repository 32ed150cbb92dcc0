"""What every reason says in `why`, where on the way of a trade it belongs, and what to do about it: one table.

Names in braces are numbers of the decision, or of the rows behind it; one that is not known shows as "?".
"""

from collections.abc import Mapping
from dataclasses import dataclass

from surefill.domain.reasons import Reason
from surefill.usecases.explain.model import LinkName

_R = Reason
_L = LinkName
_NOTHING = "Nothing to do."
_LOOK_AGAIN = "Nothing to do: it is tried again at the next tick."


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """Where a reason belongs, its words, the remedy, and whether it only waits (nothing is wrong)."""

    link: LinkName
    words: str
    remedy: str
    waits: bool = False

    def said(self, numbers: Mapping[str, str]) -> str:
        """The words with the numbers filled in."""
        return self.words.format_map(_Known(numbers))

    def advised(self, numbers: Mapping[str, str]) -> str:
        """The remedy with the numbers filled in."""
        return self.remedy.format_map(_Known(numbers))


class _Known(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "?"


def _stops(link: LinkName, words: str, remedy: str) -> Saying:
    return Saying(link=link, words=words, remedy=remedy)


def _waits(link: LinkName, words: str, remedy: str = _NOTHING) -> Saying:
    return Saying(link=link, words=words, remedy=remedy, waits=True)


_SCHEDULE = {
    _R.TICK: _waits(_L.SCHEDULE, "schedule: ticking"),
    _R.TICK_LATE: _stops(
        _L.SCHEDULE, "schedule: tick came too late", "Late ticks are dropped: look at throttling and queue."
    ),
    _R.EVALUATED: _waits(_L.SCHEDULE, "schedule: evaluated"),
    _R.ALERTED: _waits(_L.SCHEDULE, "schedule: evaluated because of an alert"),
    _R.NO_TICK: _stops(
        _L.SCHEDULE,
        "no tick since {tick}",
        "Start the schedule again and look at dispatch: its errors, its dead letters, its permissions.",
    ),
    _R.NOT_EVALUATED: _stops(
        _L.SCHEDULE,
        "schedule: handed out since {from}, not evaluated",
        "Look at evaluate: its errors and its dead letters. The bot is handed out, nothing comes back.",
    ),
    _R.BOT_NOT_ACTIVE: _stops(_L.SCHEDULE, "bot: {state}, it does not enter", "Start it: surefill bots start {bot}."),
    _R.STRATEGY_UNKNOWN: _stops(
        _L.SCHEDULE, "bot: unknown strategy {strategy}", "Deploy the strategy again, or change the bot's strategy."
    ),
    _R.TABLE_UNREADABLE: _stops(
        _L.SCHEDULE, "health: table {table} can't be read: {error}", "Deploy the data stack: it makes the tables."
    ),
    _R.INTERNAL_ERROR: _stops(
        _L.SIGNAL, "internal error: {error}", "A defect: report it with this text. Others are not affected."
    ),
}
_DATA = {
    _R.NO_DATA: _stops(
        _L.DATA, "data: no candles", "Look whether the venue still lists the symbol; nothing is traded without candles."
    ),
    _R.DATA_STALE: _stops(
        _L.DATA,
        "data: last candle {last_candle_closed}, age {age}",
        "Wait, or look at the venue's status: entries go on with the next fresh candle.",
    ),
    _R.DATA_SHORT: _stops(
        _L.DATA,
        "data: {candles} of {needed} candles of {symbol} {timeframe}",
        "Wait until there are enough, or choose parameters or a timeframe that need fewer.",
    ),
    _R.NO_PRICE: _stops(_L.DATA, "data: no price", "Look at the venue: without bid and ask nothing is bought."),
    _R.PRICE_STALE: _stops(_L.DATA, "data: stale price", "Look at the venue: a price must be fresh to be acted on."),
    _R.RATE_LIMITED: _stops(
        _L.DATA, "venue: rate limited until {until}", "Wait. If it returns, give fewer bots the same address or key."
    ),
    _R.MAINTENANCE: _stops(
        _L.DATA, "venue: maintenance", "Wait until the venue is back; exits are tried every minute, first of all."
    ),
    _R.VENUE_DOWN: _stops(
        _L.DATA, "venue: unavailable: {error}", "Wait, or look at the venue's status; it is tried every tick."
    ),
}
_SIGNAL = {
    _R.STRATEGY_FAILED: _stops(
        _L.SIGNAL, "bot: strategy failed: {error}", "Correct the strategy or its parameters, then start the bot."
    ),
    _R.HOLD: _waits(_L.SIGNAL, "signal: hold"),
    _R.NO_POSITION: _stops(
        _L.SIGNAL, "signal: no position to sell", "Nothing to sell: it waits for its next signal to buy."
    ),
    _R.ALREADY_IN_POSITION: _waits(_L.SIGNAL, "signal: buy, already in position"),
    _R.IN_FLIGHT: _waits(_L.SIGNAL, "signal: an order is under way ({slot})"),
    _R.GRID_WAITING: _waits(_L.SIGNAL, "grid: waiting for fill of {level}"),
    _R.WOKEN: _waits(_L.SIGNAL, "grid: woken by a fill"),
    _R.GRID_ARMED: _waits(_L.SIGNAL, "grid: {orders} orders started"),
    _R.BUY: _waits(_L.SIGNAL, "signal: buy"),
    _R.ADD: _waits(_L.SIGNAL, "signal: buy one more tranche"),
    _R.SELL: _waits(_L.SIGNAL, "signal: sell"),
    _R.REDUCE: _waits(_L.SIGNAL, "signal: sell a part"),
}
_GATES = {
    _R.WAITING_CONFIRMATION: _waits(
        _L.GATES, "waiting: confirmation {stands} of {needs} min", "Nothing to do, or set confirmation_seconds lower."
    ),
    _R.WAITING_COOLDOWN: _waits(
        _L.GATES, "waiting: cooldown {stands} of {needs} min", "Nothing to do, or set cooldown_seconds lower."
    ),
    _R.MARKET_UNKNOWN: _stops(
        _L.GATES, "market rule: rules of {symbol} are unknown", "Refresh the markets (they are read once a day)."
    ),
    _R.MARKET_STALE: _stops(
        _L.GATES, "market rule: rules are of {fetched_at}", "Look at refresh_markets: rules must be at most 48 h old."
    ),
    _R.MARKET_CLOSED: _stops(
        _L.GATES, "market: {symbol} is not trading", "Wait, or take the symbol out of the bot if it was delisted."
    ),
    _R.BELOW_MINIMUM: _stops(
        _L.GATES,
        "market rule: min notional {minimum}, the order would be {notional}",
        "Raise budget_percent or the budget, so that an order reaches the venue's minimum.",
    ),
    _R.EXIT_BELOW_MINIMUM: _stops(
        _L.GATES,
        "market rule: min notional {minimum}, a sale at the stop would be {notional_at_stop}",
        "Raise budget_percent or the budget: what is bought must stay sellable at its stop.",
    ),
    _R.QUANTITY_TOO_SMALL: _stops(
        _L.GATES,
        "market rule: min quantity {minimum}, the order would be {quantity}",
        "Raise budget_percent or the budget, so that an order reaches the venue's smallest quantity.",
    ),
    _R.ACCOUNT_BLOCKED: _stops(
        _L.GATES, "account: blocked: {account}", "Compare the account with the venue and settle the difference."
    ),
    _R.CREDENTIALS_REJECTED: _stops(
        _L.GATES,
        "account: credentials rejected: {account}",
        "Put a valid key into the account's secret; within five minutes it is taken back. Positions are kept.",
    ),
    _R.CIRCUIT_OPEN: _stops(
        _L.GATES,
        "circuit: open until {until} ({account})",
        "Wait: the venue is asked again then. Exits and other accounts go on.",
    ),
    _R.ENTRIES_OFF: _stops(
        _L.GATES, "stopped by: {who}, {when}{why}", "Lift the stop when it is safe; exits go on meanwhile."
    ),
    _R.FROZEN: _stops(
        _L.GATES, "stopped by: {who}, {when}{why}, frozen", "Nothing is sent. Lift the freeze, or close by hand."
    ),
    _R.STOPPED: _stops(
        _L.GATES, "stopped by: {who}, {when}{why}", "Lift the stop when it is safe; exits go on meanwhile."
    ),
    _R.RESUMED: _waits(_L.GATES, "stop lifted by: {who}"),
    _R.MARKET_HOURS: _stops(
        _L.GATES, "gate: outside hours, {local} {time_zone}, open {hours}", "Wait, or widen the bot's hours."
    ),
    _R.PRICE_GAP: _stops(
        _L.GATES,
        "gate: price {price} is {gap_percent} % from the last close {last_close}, allowed {max_gap_percent} %",
        "Wait until price and candles agree, or raise max_gap_percent.",
    ),
    _R.ADVISER_BLOCKED: _stops(
        _L.GATES, "adviser: {adviser} blocks: {why}", "Nothing to do: it is asked again at the next candle."
    ),
    _R.ADVISER_UNAVAILABLE: _stops(
        _L.GATES,
        "adviser: unavailable: {why}",
        "Repair the adviser, or set its policy to ignore: then the bot trades without it.",
    ),
    _R.STOP_LOSS_GUARD: _stops(
        _L.GATES, "gate: {trades} stop losses, pause until {until}", "Wait, or change the stop-loss guard."
    ),
    _R.DRAWDOWN_PAUSE: _stops(
        _L.GATES, "gate: drawdown {drawdown_percent} %, pause until {until}", "Wait, or change the drawdown protection."
    ),
    _R.LOW_PROFIT: _stops(
        _L.GATES, "gate: profit {profit_percent} %, pause until {until}", "Wait, or change the low-profit protection."
    ),
    _R.SIZE_UNKNOWN: _stops(
        _L.GATES, "sizing: {sizer} misses {missing}", "Wait for enough data or trades, or choose another sizer."
    ),
    _R.SIZE_ZERO: _stops(
        _L.GATES, "sizing: {sizer} comes to nothing", "Look at the sizer's numbers: by its rule nothing may be spent."
    ),
}
_CLAIM = {
    _R.BUDGET_TOO_SMALL: _stops(
        _L.CLAIM, "budget: need {need}, have {have}", "Fund the budget, lower budget_percent, or wait for a sale."
    ),
    _R.BUDGET_MISSING: _stops(_L.CLAIM, "budget: missing", "Create the budget, or give the bot one that exists."),
    _R.LIMIT_OPEN_POSITIONS: _stops(
        _L.CLAIM, "limit: open positions {open_positions}", "Wait for a sale, or raise max_open_positions."
    ),
    _R.LIMIT_TRADES: _stops(
        _L.CLAIM, "limit: trades today {trades_today}", "Wait for the next day, or raise max_trades_per_day."
    ),
    _R.LIMIT_LOSS: _stops(
        _L.CLAIM, "limit: loss today {loss_today}", "Wait for the next day, or raise max_daily_loss on purpose."
    ),
    _R.LIMIT_EXPOSURE: _stops(
        _L.CLAIM,
        "limit: exposure of {asset}: {at_work} at work, need {need}, limit {limit}",
        "Wait for a sale, or raise max_exposure_per_asset.",
    ),
    _R.LIMIT_DRAWDOWN: _stops(
        _L.CLAIM, "limit: drawdown, realised {realised}", "Look at the losses; then set the drawdown limit anew."
    ),
    _R.SLOT_TAKEN: _stops(_L.CLAIM, "claim: slot taken ({slot})", "Nothing to do: something else is under way there."),
    _R.CLAIM_BUSY: _stops(_L.CLAIM, "claim: busy ({guards})", _LOOK_AGAIN),
    _R.CLAIMED: _waits(_L.CLAIM, "claim: money and slot are taken"),
}
_PLACE = {
    _R.REJECTED: _stops(
        _L.PLACE, "place: refused by the venue, code {code}: {error}", "Do what the venue's message says."
    ),
    _R.SENT: _waits(_L.PLACE, "order: sent"),
    _R.NEVER_SENT: _stops(
        _L.PLACE, "place: never sent{error}", "Nothing to do: the money is back, the next signal tries again."
    ),
}
_SETTLE = {
    _R.ACCEPTED: _waits(_L.SETTLE, "order: accepted by the venue"),
    _R.UNKNOWN: _stops(
        _L.SETTLE,
        "order: waiting on venue, age {age}, outcome unknown{error}",
        "Nothing to do: it is looked for, never posted again; its money stays reserved until there is proof.",
    ),
    _R.WAITING_ON_VENUE: _stops(
        _L.SETTLE,
        "order: waiting on venue, age {age}, state {state}",
        "Look for the order's id at the venue; reconcile asks every 30 s and books what it finds.",
    ),
    _R.RESTING: _waits(_L.SETTLE, "order: resting at {price} until {until}"),
    _R.PROVEN_ABSENT: _stops(
        _L.SETTLE, "order: never reached the venue, proven", "Nothing to do: money and slot are free again."
    ),
    _R.FILLED: _waits(_L.SETTLE, "order: filled {filled} for {cost}"),
    _R.PARTIALLY_FILLED: _waits(_L.SETTLE, "order: partially filled, {filled} of {asked}"),
    _R.NOT_FILLED: _stops(
        _L.SETTLE, "order: not filled at {price}", "Raise slippage_percent if the price runs away too often."
    ),
    _R.OVERRUN: _stops(
        _L.SETTLE, "order: cost above its reservation", "Compare the order with the venue, then release the position."
    ),
    _R.ADOPTED: _waits(_L.SETTLE, "order: found late and adopted"),
    _R.ORPHAN: _stops(_L.SETTLE, "order: not ours", "Somebody else uses this account: give Surefill one of its own."),
    _R.RECOVERED: _waits(_L.SETTLE, "order: settled by reconcile"),
}
_POSITION = {
    _R.SLOT_HELD: _stops(
        _L.PROTECTION,
        "position: HELD ({held}), expected {expected}, actual {actual}",
        "Compare the account at the venue with the position; then release it or close it by hand.",
    ),
    _R.BALANCE_SHORT: _stops(
        _L.PROTECTION,
        "position: balance short, expected {expected}, actual {actual}",
        "Put the difference back, or close the position by hand.",
    ),
    _R.UNPROTECTED: _stops(
        _L.PROTECTION, "exit: no protection", "Set a take profit or a stop loss, or close it: surefill positions close."
    ),
    _R.EXIT_WAITING: _waits(_L.EXIT, "exit: levels not reached, take profit {take_profit}, stop {stop_loss}"),
    _R.NOT_WANTED: _waits(_L.EXIT, "exit: none wanted, the strategy sells"),
    _R.EXIT_CHANGED: _waits(_L.PROTECTION, "protection: levels changed by hand"),
    _R.DUST: _waits(_L.EXIT, "exit: closed, dust {dust}"),
    **{
        reason: _waits(_L.EXIT, f"exit: {words} is due")
        for reason, words in (
            (_R.TAKE_PROFIT, "take profit"),
            (_R.STOP_LOSS, "stop loss"),
            (_R.STRATEGY_EXIT, "the strategy's sale"),
            (_R.TRAILING_STOP, "trailing stop"),
            (_R.BREAK_EVEN, "break-even stop"),
            (_R.ROI, "ROI"),
            (_R.TIME_LIMIT, "time limit"),
            (_R.LADDER, "ladder step"),
            (_R.GRID_SELL, "the grid's sale"),
            (_R.MANUAL_EXIT, "a sale by hand"),
        )
    },
}
_ACCOUNTS = {
    _R.FUNDED: _waits(_L.CLAIM, "budget: funded"),
    _R.WITHDRAWN: _waits(_L.CLAIM, "budget: money taken out"),
    _R.RECONCILED: _waits(_L.GATES, "account: reconciled"),
    _R.RECONCILE_DIFFERENCE: _stops(
        _L.GATES,
        "account: holds less than the tables say: {account}",
        "Put the difference back, or shrink the budget. Entries go on as soon as it is gone.",
    ),
    _R.NOTIFY_FAILED: _stops(
        _L.SCHEDULE, "notify: a destination does not take notices", "Correct its secret; trading is not affected."
    ),
    _R.NOTIFY_DROPPED: _waits(_L.SCHEDULE, "notify: notices left out, too many a minute"),
}
SAYINGS: Mapping[Reason, Saying] = {
    **_SCHEDULE, **_DATA, **_SIGNAL, **_GATES, **_CLAIM, **_PLACE, **_SETTLE, **_POSITION, **_ACCOUNTS,
}  # fmt: skip
