from tests.unit.cli.conftest import *
from tests.unit.cli.test_trading import traded
import local.cli.output as o
from local.cli import app
from rich.console import Console
def test_look(traded, cli, monkeypatch):
    monkeypatch.setattr(o, "_PIPE_WIDTH", 100)
    for c in ["accounts list","budgets list","budgets show live-binance-main-b","bots list","bots show trend","positions list","positions show trend BTC/USDT","positions closed trend","orders list","orders show a1a1","orders fills trend","decisions trend","budgets ledger live-binance-main-b", "stops","tail --once --since 2026-01-05T11:00Z","reconcile"]:
        print("$ surefill", c); print(cli._runner.invoke(app, c.split()).output)
    print(cli._runner.invoke(app, ["health"]).output)
