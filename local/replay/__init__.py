"""Replay: the deployed functions driven tick by tick over recorded candles, the same way every time."""

from local.replay.plan import ReplayOptions
from local.replay.run import run_replay

__all__ = ["ReplayOptions", "run_replay"]
