"""What the direct engine can run, told before it starts; and how it says on the way that it can't go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.backtest.spec import FillModel
from surefill.domain.kinds import BotState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.backtest.spec import BacktestSpec
    from surefill.domain.rows import Bot


class BeyondDirectError(Exception):
    """A bot wants what only the protocol engine can do. The text says what."""


def require_plain(spec: BacktestSpec, bots: Sequence[Bot]) -> None:
    """Raise BeyondDirectError for what is known before the first candle."""
    if spec.fill is FillModel.TICKS:
        raise BeyondDirectError("ticks go through the simulated exchange")
    if spec.costs.volume_share is not None:
        raise BeyondDirectError("a share of the volume fills orders in part")
    for bot in bots:
        if bot.exit_rules.ladder:
            raise BeyondDirectError(f"bot {bot.bot_id!r} sells in parts (exit_rules.ladder)")
        if bot.gates.adviser is not None:
            raise BeyondDirectError(f"bot {bot.bot_id!r} asks an adviser")
        if bot.state is not BotState.ACTIVE:
            raise BeyondDirectError(f"bot {bot.bot_id!r} is {bot.state}")
