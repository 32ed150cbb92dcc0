"""A stage for one drill: the functions' own handlers, the real workflow definition, real ccxt, a simulated exchange.

Minutes pass one by one as the schedules would make them; nothing goes wrong but what the drill does.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from surefill.domain.kinds import BotState, Leg
from surefill.domain.rows import Account, Bot, Budget, Intent, JournalEntry, Slot
from surefill.usecases.control.bots import BotControl
from surefill.usecases.control.errors import RequestRefusedError
from surefill.usecases.control.positions import PositionControl
from surefill.usecases.control.specs import BotSpec
from surefill.usecases.explain import Explainer, Explanation, LinkState, told
from surefill.usecases.explain.telling import LINES
from surefill.usecases.publish import Change
from surefill.usecases.wake import GridWaker
from tests.drills.surroundings import ALL_STRATEGIES, KeenEars, Messages, StageChaos
from tests.simulation import judge
from tests.simulation.kernel import Kernel
from tests.simulation.world import LIVE, START_MS, BudgetPlan, World

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from surefill.domain.reasons import Reason
    from tests.simulation.functions import Environment

MINUTE_MS = 60_000
BOT = "one"
SYMBOL = "BTC/USDT"
_EVERY_MINUTE = ("dispatch", "watch_exits", "reconcile")
PAPER = "paper-binance-s1"


class Stage:
    """One account with one budget and its bots. `silent` schedules do not tick."""

    def __init__(
        self,
        *,
        bots: Mapping[str, Mapping[str, Any]] | None = None,
        amount: str = "500",
        limits: Mapping[str, Any] | None = None,
        account_id: str = LIVE,
        more: tuple[BudgetPlan, ...] = (),
        fees_in_bnb: bool = False,
    ) -> None:
        usual: Mapping[str, Any] = {"params": {"name": "one", "buys": 100, "sells": 0}}
        made = {BOT: usual} if bots is None else {name: {**usual, **changes} for name, changes in bots.items()}
        plan = BudgetPlan(
            name="one",
            account_id=account_id,
            amount=Decimal(amount),
            bots=tuple(
                (name, changes.get("symbols", (SYMBOL,)), {k: v for k, v in changes.items() if k != "symbols"})
                for name, changes in made.items()
            ),
            limits=limits or {},
        )
        self.kernel = Kernel(seed="drill", start_ms=START_MS)
        self.chaos = StageChaos()
        self.world = World(seed=1, chaos=self.chaos, kernel=self.kernel, plans=[plan, *more], fees_in_bnb=fees_in_bnb)
        self.ears = self.world.ears = KeenEars()
        self.world.cloud.around.ears = self.ears
        self.world.cloud.around.strategies = ALL_STRATEGIES
        self.world.cloud.end()  # environments made before heard with other ears
        self.silent: set[str] = set()
        self.minutes = 0
        self._streamed: dict[str, Intent] = {}
        self.budget_id = f"{account_id}-one"
        self.account_id = account_id
        self.price("60000")

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self.world.close()

    # time

    @property
    def store(self) -> Any:
        """The tables."""
        return self.world.store

    def now(self) -> datetime:
        """The time (the clock port)."""
        return self.world.now

    def minute(self, count: int = 1) -> None:
        """Let minutes pass, each with its ticks; every fifth one compares balances."""
        for _ in range(count):
            moment_ms = self.kernel.now_ms // MINUTE_MS * MINUTE_MS + MINUTE_MS
            self.kernel.run_until(moment_ms)
            schedules = [*_EVERY_MINUTE, *(("sync_account",) if self.minutes % 5 == 0 else ())]
            for schedule in schedules:
                if schedule not in self.silent:
                    self.world.cloud.tick(schedule, moment_ms)
            self.kernel.run_until(moment_ms + MINUTE_MS // 2)
            self._stream()
            self.kernel.run_until(moment_ms + MINUTE_MS - 1)
            self.minutes += 1

    def _stream(self) -> None:
        """What the stream of the orders hands to those who act on it."""
        rows = [row for row in self.store.rows(Intent) if self._streamed.get(row.intent_id) is not row]
        self._streamed |= {row.intent_id: row for row in rows}
        waker = GridWaker(store=self.store, queue=Messages(self.world), observer=self.ears)
        waker.consume([Change(number=str(number), row=row) for number, row in enumerate(rows)])

    def until(self, seen: Callable[[], bool], *, within: int, what: str) -> int:
        """Let minutes pass until it is seen; how many it took."""
        for count in range(1, within + 1):
            self.minute()
            if seen():
                return count
        raise AssertionError(f"{what} must be seen within {within} ticks, was not:\n" + "\n".join(self.lines()))

    def tick(self, schedule: str) -> None:
        """One tick of one schedule, now."""
        self.world.cloud.tick(schedule, self.kernel.now_ms // MINUTE_MS * MINUTE_MS)
        self.kernel.run_until(self.kernel.now_ms + 5_000)

    # what happens

    def fault(self, kind: str, **options: Any) -> None:
        """Switch a fault of the exchange on."""
        if self.world.admin("POST", "/admin/faults", kind=kind, **options) is None:
            raise AssertionError(f"the exchange must take the fault {kind} {options}")

    def no_faults(self) -> None:
        """Switch all faults off."""
        self.world.admin("DELETE", "/admin/faults")

    def price(self, price: str, *, symbol: str = "BTCUSDT") -> None:
        """Hold the market at a price."""
        self.world.admin("POST", "/admin/prices", symbol=symbol, price=price, hold=True)

    def take_coins(self, asset: str, change: str) -> None:
        """Somebody moves coins at the venue."""
        before = self.free(asset)
        self.world.admin("POST", "/admin/balances", account="main", asset=asset, change=change)
        moved = self.free(asset) - before
        self.world.interference[asset] += moved
        self.world.lowest[asset] = min(self.world.lowest[asset], self.world.interference[asset])

    def free(self, asset: str) -> Decimal:
        """What the account holds at the venue."""
        held = self.world.exchange.state.ledger.accounts["main"].balances.get(asset)
        return held.free + held.locked if held else Decimal(0)

    def environment(self) -> Environment:
        """An execution environment of its own, for what a drill asks adapters directly."""
        made: list[Environment] = []
        self.world.cloud.run("bot_api", made.append)
        return made[0]

    def change_bot(self, name: str = BOT, **changes: Any) -> None:
        """Change a bot's row as the API would."""
        self.store.replace(replace(self.bot(name), **changes))

    # what is there

    def bot(self, name: str = BOT) -> Bot:
        """The bot."""
        found = self.store.get(Bot, name)
        assert found is not None
        return found

    def budget(self) -> Budget:
        """The budget."""
        found = self.store.get(Budget, self.budget_id)
        assert found is not None
        return found

    def account(self) -> Account:
        """The account."""
        found = self.store.get(Account, self.account_id)
        assert found is not None
        return found

    def slot(self, name: str = BOT, *, symbol: str = SYMBOL) -> Slot:
        """The bot's place."""
        owner = f"{self.bot(name).account_id}|{name}"
        key = f"binance|{symbol}"
        return self.store.get(Slot, key, owner) or Slot(market_key=key, owner_key=owner)

    def orders(self, leg: Leg | None = None) -> list[Intent]:
        """All orders, oldest first."""
        found = [one for one in self.store.rows(Intent) if leg is None or one.leg is leg]
        return sorted(found, key=lambda one: one.created_at)

    def journal(self, name: str = BOT) -> list[JournalEntry]:
        """The bot's journal, newest first."""
        return list(self.store.journal_of(name))

    # what people do

    @property
    def control(self) -> BotControl:
        """The operator's hand on bots."""
        return BotControl(store=self.store, queue=Messages(self.world), clock=self, observer=self.ears)

    def close(self) -> None:
        """Sell the position now, as the API does; a refusal is an answer."""

        def sell(one: Environment) -> None:
            bots = BotControl(store=one.store, queue=one.queue, clock=one.clock, observer=self.ears)
            control = PositionControl(
                store=one.store, bots=bots, workflow=one.workflow, clock=one.clock, observer=self.ears
            )
            with suppress(RequestRefusedError):
                control.close(BOT, symbol=SYMBOL)

        self.world.cloud.run("bot_api", sell)

    def start_bot(self, name: str = BOT) -> None:
        """Start a bot as the API does."""
        self.control.set_state(name, state=BotState.ACTIVE)

    def spec(self, **changes: Any) -> BotSpec:
        """A bot that could be created."""
        usual: dict[str, Any] = {
            "name": "new",
            "budget_id": self.budget_id,
            "symbols": (SYMBOL,),
            "strategy": "composite",
            "params": {},
            "timeframe": "1m",
            "interval_seconds": 60,
        }
        return BotSpec(**{**usual, **changes})

    def create_refused(self, **changes: Any) -> str:
        """Try to create a bot that must be refused; what was said."""
        try:
            self.control.create(self.spec(**changes))
        except RequestRefusedError as error:
            return str(error)
        raise AssertionError(f"a bot with {changes} must be refused")

    # what is asked

    @property
    def explainer(self) -> Explainer:
        """`why`, on this stage's tables."""
        return Explainer(store=self.store, clock=self, strategies=ALL_STRATEGIES)

    def why(self, name: str = BOT, symbol: str | None = None) -> Explanation:
        """Why the bot does what it does."""
        return self.explainer.why(name, symbol)

    def lines(self, name: str = BOT) -> list[str]:
        """The same as people read it."""
        lines = told(self.why(name))
        assert len(lines) <= LINES, f"why must fit {LINES} lines, had {len(lines)}"
        return lines

    def named(self, text: str, reason: Reason, *, name: str = BOT) -> Callable[[], bool]:
        """Whether `why` says this in its answer."""

        def seen() -> bool:
            verdict = self.why(name).verdict
            return verdict.reason is reason and text in verdict.says and text in self.lines(name)[1]

        return seen

    def require_named(self, text: str, reason: Reason, *, name: str = BOT, stopped: bool = True) -> None:
        """`why` says this now, with since when or a remedy."""
        verdict = self.why(name).verdict
        if not self.named(text, reason, name=name)() or (stopped and verdict.state is not LinkState.STOPPED):
            raise AssertionError(f"why must say {text!r} ({reason}), said:\n" + "\n".join(self.lines(name)))
        assert verdict.remedy, f"{reason} must have a remedy"

    def require_event(self, reason: Reason, **fields: str) -> Mapping[str, object]:
        """An event was told, with these fields in it; returns its fields."""
        for heard, shown in reversed(self.ears.events):
            if heard is reason and all(part in str(shown.get(key)) for key, part in fields.items()):
                return shown
        told_of = sorted(set(map(str, self.ears.heard)))
        raise AssertionError(f"{reason} {fields} must be told, told were {', '.join(told_of)}")

    def require_alarm(self, metric: str, *, above: float) -> None:
        """The newest value of a metric would raise its alarm."""
        values = self.ears.metrics[metric]
        assert values, f"{metric} must be measured"
        assert values[-1] > above, f"{metric} must be above {above}, was {values[-1]}"

    def require_money(self) -> None:
        """All safety invariants hold, and so does what left for the venue."""
        found, _ = judge.safety(self.world, None)
        assert not found, "; ".join(map(str, found))

    def require_rest(self) -> None:
        """And every coin at the venue is explained."""
        self.require_money()
        found = judge.rest(self.world, self.world.rows())
        assert not found, "; ".join(map(str, found))
