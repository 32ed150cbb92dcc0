"""Runs in freqtrade's own environment: `prepare FOLDER` writes its candle files, `run FOLDER` is its backtesting.

Only the list of markets is made up, because there is no network: the rest is freqtrade's whole `backtesting` command.
"""

# Runs in an environment of its own, where these packages are.
# mypy: ignore-errors

import json
import sys
from pathlib import Path

RULE = Path(__file__).resolve().parent / "freqtrade_rule"


def pairs_of(folder: Path) -> list[str]:
    return sorted(file.name.split("_")[0] for file in (folder / "binance").glob("*.feather"))


def prepare(folder: Path) -> None:
    import numpy
    import pandas

    stored = numpy.load(folder / "market.npz")
    target = folder / "binance"
    target.mkdir(exist_ok=True)
    dates = pandas.to_datetime(stored["opened_ms"], unit="ms", utc=True)
    for pair in range(len(stored["close"])):
        columns = {name: stored[name][pair] for name in ("open", "high", "low", "close", "volume")}
        pandas.DataFrame({"date": dates, **columns}).to_feather(target / f"C{pair:02d}_USDT-5m.feather")


def run(folder: Path) -> None:
    import freqtrade.exchange.exchange as exchange
    from freqtrade.main import main

    def made_up(self: exchange.Exchange, reload: bool = False) -> dict:
        api = self._api_async
        markets = [
            api.safe_market_structure(
                {
                    "id": f"{base}USDT", "symbol": f"{base}/USDT", "base": base, "quote": "USDT", "baseId": base,
                    "quoteId": "USDT", "type": "spot", "spot": True, "margin": False, "swap": False, "future": False,
                    "option": False, "contract": False, "active": True, "taker": 0.001, "maker": 0.001, "info": {},
                    "precision": {"amount": 1e-8, "price": 1e-8, "base": 1e-8, "quote": 1e-8},
                    "limits": {
                        "amount": {"min": 1e-8, "max": 1e9}, "price": {"min": 1e-8, "max": 1e9},
                        "cost": {"min": 1, "max": 1e9}, "leverage": {"min": None, "max": None},
                    },
                }
            )
            for base in pairs_of(folder)
        ]  # fmt: skip
        api.set_markets(markets)
        return api.markets

    exchange.Exchange._load_async_markets = made_up
    book = {"price_side": "same", "use_order_book": True, "order_book_top": 1}
    config = {
        "dry_run": True, "dry_run_wallet": 1_000_000, "max_open_trades": -1, "stake_currency": "USDT",
        "stake_amount": 100, "timeframe": "5m", "strategy": "RsiMacdRule", "trading_mode": "spot", "fee": 0.001,
        "dataformat_ohlcv": "feather", "entry_pricing": book, "exit_pricing": book,
        "exchange": {
            "name": "binance", "key": "", "secret": "", "pair_blacklist": [],
            "pair_whitelist": [f"{base}/USDT" for base in pairs_of(folder)],
        },
        "pairlists": [{"method": "StaticPairList"}], "user_data_dir": str(folder), "datadir": str(folder / "binance"),
    }  # fmt: skip
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    main(
        [
            "backtesting", "--config", str(path), "--strategy-path", str(RULE), "--export", "none", "--cache", "none",
            "--datadir", str(folder / "binance"), "--userdir", str(folder),
        ]
    )  # fmt: skip


if __name__ == "__main__":
    {"prepare": prepare, "run": run}[sys.argv[1]](Path(sys.argv[2]))
