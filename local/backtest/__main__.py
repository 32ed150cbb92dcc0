"""`python -m local.backtest`: the same as `surefill backtest`."""

from local.backtest.cli import backtest_app

backtest_app()
