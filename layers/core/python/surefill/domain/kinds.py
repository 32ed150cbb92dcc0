"""The words rows are made of: sides, states and kinds."""

from enum import StrEnum


class Side(StrEnum):
    """Direction of an order or a signal."""

    BUY = "BUY"
    SELL = "SELL"


class Leg(StrEnum):
    """What an intent is to a position: its beginning, more of it, or the sale of all or a part of it."""

    ENTRY = "ENTRY"
    TRANCHE = "TRANCHE"
    EXIT = "EXIT"


class OrderKind(StrEnum):
    """The order kinds a venue adapter may place; anything else is refused."""

    LIMIT_IOC = "LIMIT_IOC"
    LIMIT = "LIMIT"
    MARKET = "MARKET"


class Mode(StrEnum):
    """Whether an account's orders reach a venue (LIVE) or are filled against its live prices only (PAPER)."""

    PAPER = "paper"
    LIVE = "live"


class BotState(StrEnum):
    """ACTIVE trades; DRAINING only exits; PAUSED does not evaluate (exits still run); HALTED sends nothing at all."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    DRAINING = "DRAINING"
    HALTED = "HALTED"


class AccountState(StrEnum):
    """OK trades; AUTH_FAILED: the venue rejects the credentials, money and positions are kept as they are."""

    OK = "OK"
    AUTH_FAILED = "AUTH_FAILED"
    OUT_OF_SYNC = "OUT_OF_SYNC"


class Scope(StrEnum):
    """How far the kill switch reaches."""

    BOT = "bot"
    ACCOUNT = "account"
    ALL = "all"


class StopKind(StrEnum):
    """NO_NEW: entries stop, exits go on. CLOSE_ALL: and every position is sold. FREEZE: nothing is sent any more."""

    NO_NEW = "NO_NEW"
    CLOSE_ALL = "CLOSE_ALL"
    FREEZE = "FREEZE"


class CloseOutcome(StrEnum):
    """What became of a position that is to be closed. HELD: a person must look; FAILED: see why."""

    WAITING = "WAITING"
    CLOSED = "CLOSED"
    HELD = "HELD"
    FAILED = "FAILED"
