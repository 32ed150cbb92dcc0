"""What `surefill --help` lists, in the order in which a person needs it."""

from __future__ import annotations

from local.cli.lazy import Entry

_WORKING = "Is it working?"
_MONEY = "Bots and their money"
_TRADES = "Trades"
_EMERGENCY = "Emergency"
_RESEARCH = "Research, on this machine"
_STAGE = "The product on this machine"

COMMANDS = (
    Entry(
        name="health",
        help="Is everything running: tables, queue, schedules, accounts, stops.",
        panel=_WORKING,
        module="local.cli.health",
        command="health",
    ),
    Entry(
        name="why",
        help="Why a bot trades or doesn't: the first link that stopped, since when, and what to do.",
        panel=_WORKING,
        module="local.cli.why",
        command="why",
    ),
    Entry(
        name="tail",
        help="Follow decisions and orders as they happen.",
        panel=_WORKING,
        module="local.cli.tail",
        command="tail",
    ),
    Entry(
        name="decisions",
        help="What a bot decided, and the numbers behind it.",
        panel=_WORKING,
        module="local.cli.decisions",
        command="decisions",
    ),
    Entry(
        name="statistics",
        help="Profit, wins, fees and drawdown of an account or a bot.",
        panel=_WORKING,
        module="local.cli.statistics",
        command="statistics",
    ),
    Entry(
        name="accounts", help="Accounts at an exchange, live or on paper.", panel=_MONEY, module="local.cli.accounts"
    ),
    Entry(name="budgets", help="Money of an account set aside for bots.", panel=_MONEY, module="local.cli.budgets"),
    Entry(name="bots", help="Create, start, change and stop bots.", panel=_MONEY, module="local.cli.bots"),
    Entry(
        name="apply",
        help="Create and change bots from files, after showing the difference.",
        panel=_MONEY,
        module="local.cli.files",
        command="apply",
    ),
    Entry(name="export", help="Write bots to files.", panel=_MONEY, module="local.cli.files", command="export"),
    Entry(
        name="schema",
        help="The JSON Schema of a bot file, for editors.",
        panel=_MONEY,
        module="local.cli.files",
        command="schema",
    ),
    Entry(
        name="positions",
        help="What is held: show it, move its levels, sell it.",
        panel=_TRADES,
        module="local.cli.positions",
    ),
    Entry(name="orders", help="Orders, and the timeline of one.", panel=_TRADES, module="local.cli.orders"),
    Entry(
        name="reconcile",
        help="Compare an account with its exchange, or settle the difference now.",
        panel=_TRADES,
        module="local.cli.reconcile",
        command="reconcile",
    ),
    Entry(
        name="panic",
        help="Stop: no new entries, close everything, or freeze.",
        panel=_EMERGENCY,
        module="local.cli.panic",
        command="panic",
    ),
    Entry(
        name="stops",
        help="Stops in force, and what became of each position.",
        panel=_EMERGENCY,
        module="local.cli.panic",
        command="stops",
    ),
    Entry(name="resume", help="Take a stop back.", panel=_EMERGENCY, module="local.cli.panic", command="resume"),
    Entry(
        name="strategy",
        help="List and show strategies, begin one of your own, check it.",
        panel=_RESEARCH,
        module="local.strategies.cli",
    ),
    Entry(
        name="backtest",
        help="What a bot would have done on recorded candles.",
        panel=_RESEARCH,
        module="local.backtest.cli",
        attribute="backtest_app",
    ),
    Entry(
        name="candles",
        help="Download recorded candles.",
        panel=_RESEARCH,
        module="local.backtest.cli",
        attribute="candles_app",
    ),
    Entry(
        name="up",
        help="Run everything here: a local AWS, the real deployment, a simulated exchange, demo bots.",
        panel=_STAGE,
        module="local.cli.run",
        command="up",
    ),
    Entry(
        name="replay",
        help="Drive the deployed functions over recorded candles.",
        panel=_STAGE,
        module="local.cli.run",
        command="replay",
    ),
)
