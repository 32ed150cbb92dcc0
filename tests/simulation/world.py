"""The world of one run: an exchange, tables, accounts with budgets and bots, the cloud, and what people did."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

from local.rows import Rows
from surefill.adapters.memory import MemoryStore
from surefill.domain.kinds import BotState, Mode
from surefill.domain.money import ZERO
from surefill.domain.records import MarketRules
from surefill.domain.rows import Account, Bot, Budget, Intent, JournalEntry, LedgerEntry, Slot
from surefill.domain.times import day_of, from_milliseconds
from surefill.protocol.funds import open_budget
from surefill.strategies.spot_grid import SpotGrid
from tests.simulation.cloud import Cloud, CloudChaos
from tests.simulation.functions import Ears, Surroundings
from tests.simulation.store import Tables
from tests.simulation.strategy import Scripted
from tests.simulation.venue import Wire, admin, make_exchange
from tests.simulation.watch import Witness

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from surefill.strategies.base import Strategy
    from tests.simulation.kernel import Kernel

START_MS = 1_767_614_400_000  # 2026-01-05 12:00 UTC
LIVE = "live-binance-main"
OPENING = Decimal(10_000)
STRATEGIES: Mapping[str, type[Strategy]] = {"scripted": Scripted, SpotGrid.name: SpotGrid}


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetPlan:
    """A budget and its bots: (name, symbols, changes to the usual bot)."""

    name: str
    account_id: str
    amount: Decimal
    bots: tuple[tuple[str, tuple[str, ...], Mapping[str, Any]], ...]
    limits: Mapping[str, Any] = field(default_factory=dict)


class World:
    """Everything of one run. `interference` is what people moved at the venue, by asset; `lowest` the least it was.

    `deserted`: people have left.
    """

    def __init__(
        self,
        *,
        seed: int,
        chaos: CloudChaos,
        kernel: Kernel,
        plans: list[BudgetPlan],
        fees_in_bnb: bool = False,
        tell: Callable[[str], None] | None = None,
        latency: Callable[[], float] | None = None,
    ) -> None:
        self.seed, self.chaos, self.kernel, self.plans = seed, chaos, kernel, plans
        self.opening = {"USDT": OPENING, **({"BNB": Decimal(10)} if fees_in_bnb else {})}
        self.exchange = make_exchange(seed=seed, clock=kernel.clock, balances=self.opening, fees_in_bnb=fees_in_bnb)
        self.store = MemoryStore(clock=_Time(kernel))
        self.witness = Witness(kernel)
        self.wire = Wire(self.exchange, latency or (lambda: 0.02), self.witness.posted)
        self.ears = Ears(say=tell)
        workers = Random(f"workers {seed}")
        self.cloud = Cloud(
            kernel,
            chaos,
            Surroundings(
                tables=Tables(self.store, self.witness),
                wire=self.wire,
                ears=self.ears,
                strategies=STRATEGIES,
                send_message=lambda body: None,
                start_execution=lambda name, text: None,
                start_closing=lambda name, text: None,
                draw_worker=lambda: f"{workers.getrandbits(128):032x}",
            ),
        )
        self.deserted = False
        self.interference: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
        self.lowest: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
        self._settle_in()

    @property
    def now(self) -> Any:
        """The functions' time."""
        return from_milliseconds(self.kernel.now_ms + self.chaos.skew_ms())

    def admin(self, method: str, path: str, /, **fields: Any) -> Any:
        """The hand on the exchange."""
        return admin(self.exchange, method, path, **fields)

    def bots(self) -> list[Bot]:
        """All bots as stored."""
        return self.store.rows(Bot)

    def rows(self) -> Rows:
        """Everything stored, and the exchange's own account of itself."""
        state = self.exchange.state
        accounts = {
            account.name: {
                asset: {"free": str(held.free), "locked": str(held.locked)} for asset, held in account.balances.items()
            }
            for account in state.ledger.accounts.values()
        }
        orders = [
            {"clientOrderId": order.request.client_order_id, "executedQty": str(order.executed)}
            for order in state.engine.orders.values()
        ]
        return Rows(
            accounts=self.store.rows(Account),
            budgets=self.store.rows(Budget),
            bots=self.store.rows(Bot),
            slots=self.store.rows(Slot),
            intents=self.store.rows(Intent),
            ledger=self.store.rows(LedgerEntry),
            journal=self.store.rows(JournalEntry),
            markets=self.store.rows(MarketRules),
            exchange={"accounts": accounts, "orders": orders, "order_posts": dict(state.order_posts)},
        )

    def paper_account(self) -> str:
        """Each seed has its own, so that no adapter remembers another seed's."""
        return f"paper-binance-s{self.seed}"

    def _settle_in(self) -> None:
        paper = self.paper_account()
        self.store.insert(
            Account(account_id=LIVE, venue="binance", mode=Mode.LIVE, currency="USDT", secret_name="surefill/sim/main")
        )
        self.store.insert(
            Account(account_id=paper, venue="binance", mode=Mode.PAPER, currency="USDT", paper_balance=OPENING)
        )
        for plan in self.plans:
            budget_id = f"{plan.account_id}-{plan.name}"
            budget = Budget(
                budget_id=budget_id,
                account_id=plan.account_id,
                currency="USDT",
                funded=plan.amount,
                available=plan.amount,
                day=day_of(self.now),
                **plan.limits,
            )
            self.store.commit(open_budget(budget, request_id="open", now=self.now))
            for name, symbols, changes in plan.bots:
                self.store.insert(self._bot(name, symbols, plan.account_id, budget_id, changes))
        self.cloud.invoke("refresh_markets", {"schedule": "refresh_markets", "scheduled_time": self.now.isoformat()})

    def _bot(
        self, name: str, symbols: tuple[str, ...], account_id: str, budget_id: str, changes: Mapping[str, Any]
    ) -> Bot:
        usual: dict[str, Any] = {
            "bot_id": name,
            "account_id": account_id,
            "budget_id": budget_id,
            "venue": "binance",
            "symbols": symbols,
            "strategy": "scripted",
            "params": {"name": f"{self.seed}{name}"},
            "timeframe": "1m",
            "interval_seconds": 60,
            "budget_percent": Decimal(30),
            "take_profit_percent": Decimal("0.6"),
            "stop_loss_percent": Decimal("0.6"),
            "slippage_percent": Decimal("0.2"),
            "confirmation_seconds": 0,
            "cooldown_seconds": 0,
            "state": BotState.ACTIVE,
            "definition_hash": name,
            "created_at": self.now,
        }
        made = {**usual, **changes}
        return Bot(**made, cadence_key=str(made["interval_seconds"]))

    def close(self) -> None:
        """Give everything back."""
        self.kernel.kill_all()
        self.cloud.end()


class _Time:
    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def now(self) -> Any:
        return from_milliseconds(self._kernel.now_ms)
