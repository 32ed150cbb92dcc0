"""Backtest: the product's own strategies, sizing, gates and money protocol over recorded candles, in one process."""
