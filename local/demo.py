"""The demo: one live account at the simulated exchange, one paper account, three bots, all through the HTTP API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.exchange.settings import LOCAL_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.driver import Driver
    from local.stage.stage import LocalStage

ACCOUNT = "demo"
# Short periods, so that a demo of a few minutes sees signals both ways; nobody's idea of a good strategy.
_LIVELY: Mapping[str, str | int | float | bool] = {
    "rsi_period": 7,
    "macd_fast": 4,
    "macd_slow": 9,
    "macd_signal": 4,
    "average_fast": 4,
    "average_slow": 12,
    "weight_rsi": 0.2,
    "weight_macd": 0.5,
    "weight_averages": 0.3,
    "buy_score": 0.35,
    "sell_score": 0.6,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoBot:
    """A bot of the demo with its own budget; `account` is live or paper."""

    name: str
    mode: str
    symbols: tuple[str, ...]
    amount: str
    confirmation_seconds: int
    cooldown_seconds: int
    take_profit_percent: str
    stop_loss_percent: str


BOTS = (
    DemoBot(
        name="bitcoin",
        mode="live",
        symbols=("BTC/USDT",),
        amount="3000",
        confirmation_seconds=60,
        cooldown_seconds=180,
        take_profit_percent="0.8",
        stop_loss_percent="0.6",
    ),
    DemoBot(
        name="ether",
        mode="live",
        symbols=("ETH/USDT",),
        amount="3000",
        confirmation_seconds=0,
        cooldown_seconds=120,
        take_profit_percent="0.7",
        stop_loss_percent="0.5",
    ),
    DemoBot(
        name="both_on_paper",
        mode="paper",
        symbols=("BTC/USDT", "ETH/USDT"),
        amount="5000",
        confirmation_seconds=120,
        cooldown_seconds=300,
        take_profit_percent="1.0",
        stop_loss_percent="0.8",
    ),
)


def set_up_demo(stage: LocalStage, driver: Driver) -> list[str]:
    """Create accounts, budgets and bots and start the bots; returns the bots' ids."""
    driver.fire("refresh_markets")
    secret = stage.put_exchange_secret(ACCOUNT, key=LOCAL_KEY.key, secret=LOCAL_KEY.secret)
    accounts = {
        "live": create_account(stage, mode="live", secret_name=secret),
        "paper": create_account(stage, mode="paper", paper_balance="10000"),
    }
    driver.fire("sync_account")
    started = []
    for bot in BOTS:
        budget = stage.api.post(
            "budgets", body={"account_id": accounts[bot.mode], "name": bot.name, "amount": bot.amount}
        )
        stage.api.post("bots", body=bot_body(bot, budget_id=budget["budget_id"]))
        stage.api.post("bots", bot.name, "start")
        started.append(bot.name)
    return started


def create_account(stage: LocalStage, *, mode: str, name: str = ACCOUNT, **more: str) -> str:
    """Create an account at the simulated exchange; returns its id."""
    body = {"name": name, "venue": "binance", "mode": mode, "currency": "USDT", **more}
    return str(stage.api.post("accounts", body=body)["account_id"])


def bot_body(bot: DemoBot, *, budget_id: str) -> dict[str, Any]:
    """The request that creates a demo bot."""
    share = str(90 // len(bot.symbols))
    return {
        "name": bot.name,
        "budget_id": budget_id,
        "symbols": list(bot.symbols),
        "strategy": "composite",
        "params": dict(_LIVELY),
        "timeframe": "1m",
        "interval_seconds": 60,
        "budget_percent": share,
        "sizing": {"max_percent": share},
        "take_profit_percent": bot.take_profit_percent,
        "stop_loss_percent": bot.stop_loss_percent,
        "slippage_percent": "0.5",
        "confirmation_seconds": bot.confirmation_seconds,
        "cooldown_seconds": bot.cooldown_seconds,
    }
