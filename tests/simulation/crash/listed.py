"""Every boundary the crashed flows may meet, by function. One that is not here fails the matrix: list it, then look."""

from collections.abc import Mapping

_BY_FUNCTION: Mapping[str, tuple[str, ...]] = {
    "bot_api": ("workflow.start:exit",),
    "claim_order": (
        "store.commit:claim_entry",
        "store.commit:claim_exit",
    ),
    "dispatch": (
        "queue.send",
        "store.replace:schedules",
    ),
    "evaluate": (
        "store.insert:journal",
        "store.update:slots",
        "venue.GET /api/v3/klines",
        "venue.GET /api/v3/ticker/24hr",
        "workflow.start:entry",
    ),
    "place_order": (
        "store.commit:paper_list",
        "store.commit:paper_place",
        "store.commit:record_entry",
        "store.commit:record_exit",
        "store.commit:release_entry",
        "store.commit:reopen",
        "store.update:intents:SENT",
        "store.update:intents:UNKNOWN",
        "venue.GET /api/v3/ticker/24hr",
        "venue.POST /api/v3/order",
    ),
    "reconcile": (
        "store.commit:record_entry",
        "store.commit:record_exit",
        "store.commit:release_entry",
        "store.commit:reopen",
        "store.replace:schedules",
        "store.update:intents",
        "venue.GET /api/v3/allOrders",
        "venue.GET /api/v3/myTrades",
        "venue.GET /api/v3/openOrders",
        "venue.GET /api/v3/order",
    ),
    "settle_order": (
        "store.commit:record_entry",
        "store.commit:record_exit",
        "store.commit:release_entry",
        "store.commit:reopen",
        "store.update:intents",
        "venue.GET /api/v3/allOrders",
        "venue.GET /api/v3/myTrades",
        "venue.GET /api/v3/openOrders",
        "venue.GET /api/v3/order",
    ),
    "watch_exits": (
        "store.insert:journal",
        "store.replace:schedules",
        "venue.GET /api/v3/ticker/24hr",
        "workflow.start:exit",
    ),
    "workflow": (
        "enter:BeginSettling",
        "enter:Claim",
        "enter:Finished?",
        "enter:Place",
        "enter:Settle",
        "enter:Settled",
        "enter:Wait",
    ),
}
LISTED = frozenset(f"{function} {name}" for function, names in _BY_FUNCTION.items() for name in names)
