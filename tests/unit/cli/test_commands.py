"""Commands against the real handler: what they ask for, what they show, how they refuse."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
import typer

from local.cli.command import Session
from local.client.target import Where
from surefill.domain.kinds import AccountState, BotState
from surefill.domain.rows import Account, Bot, Budget
from tests.integration.conftest import Cloud
from tests.unit.cli.conftest import BUDGET_ID, Cli, Server

FILE = f"""
name: trend
budget_id: {BUDGET_ID}
symbols: [BTC/USDT]
strategy: composite
take_profit_percent: 3
stop_loss_percent: 2
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "trend.yaml"
    path.write_text(FILE)
    return path


@pytest.fixture
def trend(furnished: Server, cli: Cli, file: Path) -> Server:
    """A stage with a bot, paused."""
    cli.run("bots", "create", str(file))
    furnished.requests.clear()
    return furnished


def test_accounts_and_budgets_are_listed_and_shown(furnished: Server, cli: Cli) -> None:
    listed = cli.run("accounts", "list").stdout
    assert "live-binance-main" in listed
    assert "1,500.00" in listed
    assert "surefill/test/main" in cli.run("accounts", "show", "live-binance-main").stdout
    assert "1,000.00" in cli.run("budgets", "list").stdout
    assert "1,000.00" in cli.run("budgets", "show", BUDGET_ID).stdout
    assert cli.json("budgets", "show", BUDGET_ID)["available"] == "1000"
    assert cli.json("accounts", "list")["items"][0]["account_id"] == "live-binance-main"


def test_money_is_moved_once_a_person_agrees(furnished: Server, cli: Cli, cloud: Cloud) -> None:
    told = cli.refused("budgets", "fund", BUDGET_ID, "100")
    assert f"Add 100 to {BUDGET_ID}?" in told
    assert "--yes" in told
    assert furnished.changes() == []
    assert "1,100.00" in cli.run("budgets", "fund", BUDGET_ID, "100", "--yes").stdout
    assert cli.json("budgets", "withdraw", BUDGET_ID, "600", "--yes")["available"] == "500"
    assert cli.json("budgets", "shrink", BUDGET_ID, "300", "--yes")["funded"] == "300"
    limited = cli.json("budgets", "limit", BUDGET_ID, "max_daily_loss=50", "max_open_positions=3")
    assert (limited["max_daily_loss"], limited["max_open_positions"]) == ("50", 3)
    assert "max_daily_loss" not in cli.json("budgets", "limit", BUDGET_ID, "max_daily_loss=none")
    assert "off" in cli.run("budgets", "entries", BUDGET_ID, "off").stdout
    ledger = cli.run("budgets", "ledger", BUDGET_ID).stdout
    assert "-600.00" in ledger
    budget = cloud.store.get(Budget, BUDGET_ID)
    assert budget is not None
    assert (budget.available, budget.entries_allowed) == (300, False)


def test_a_repeated_run_under_its_key_moves_money_once(furnished: Server, cli: Cli) -> None:
    for _ in range(2):
        assert cli.json("budgets", "fund", BUDGET_ID, "100", "--yes", "--key", "run-1")["funded"] == "1100"
    assert cli.json("budgets", "fund", BUDGET_ID, "100", "--yes", "--key", "run-2")["funded"] == "1200"


def test_a_bot_from_its_file_to_its_end(furnished: Server, cli: Cli, cloud: Cloud, file: Path) -> None:
    assert cli.json("bots", "create", str(file))["state"] == "PAUSED"
    assert "ACTIVE" in cli.run("bots", "start", "trend").stdout
    assert len(cloud.messages()) == 1
    for verb, state in (("pause", "PAUSED"), ("drain", "DRAINING"), ("halt", "HALTED")):
        assert cli.json("bots", verb, "trend")["state"] == state
    listed = cli.run("bots", "list").stdout
    assert "trend" in listed
    assert "live" in listed
    shown = cli.run("bots", "show", "trend").stdout
    assert "composite" in shown
    assert "3 %" in shown
    changed = cli.run("bots", "change", "trend", "stop_loss_percent=1.5", "params.rsi_period=9").stdout
    assert "stop_loss_percent: 2 -> 1.5" in changed
    assert "params.rsi_period: none -> 9" in changed
    bot = cloud.store.get(Bot, "trend")
    assert bot is not None
    assert (str(bot.stop_loss_percent), bot.params) == ("1.5", {"rsi_period": 9})
    cli.refused("bots", "delete", "trend")
    assert "trend is deleted" in cli.run("bots", "delete", "trend", "--yes").stdout
    assert cli.json("bots", "list")["items"] == []


def test_a_bot_that_listens_has_a_token(furnished: Server, cli: Cli, file: Path) -> None:
    file.write_text(FILE.replace("composite", "webhook"))
    cli.run("bots", "create", str(file))
    assert "/hooks/trend" in cli.run("bots", "hook", "trend").stdout
    assert cli.json("bots", "show", "trend")["takes_alerts"] is True
    cli.run("bots", "hook", "trend", "--remove")
    assert cli.json("bots", "show", "trend")["takes_alerts"] is False


def test_a_bot_may_be_started_as_it_is_created(furnished: Server, cli: Cli, file: Path) -> None:
    assert cli.json("bots", "create", str(file), "--start")["state"] == "ACTIVE"


def test_a_change_that_changes_nothing_is_not_sent(trend: Server, cli: Cli) -> None:
    done = cli.run("bots", "change", "trend", "stop_loss_percent=2.0")
    assert "trend is so already" in done.stderr
    assert trend.changes() == []


def test_several_bots_at_once_are_one_document_each(trend: Server, cli: Cli) -> None:
    stopped = cli.run("bots", "pause", "trend", "nobody", code=2)
    assert "PAUSED" in stopped.stdout
    assert stopped.stderr == "surefill: bot_id: bot 'nobody' does not exist\n"


def test_orders_decisions_and_positions_of_a_bot_that_did_nothing(trend: Server, cli: Cli) -> None:
    for command in (
        ("decisions", "trend"), ("decisions", "trend", "--kind", "risk"), ("decisions", "trend", "--kind", "exit"),
        ("orders", "list"), ("orders", "list", "trend", "--state", "filled"), ("orders", "open"),
        ("orders", "fills", "trend"), ("positions", "list"), ("positions", "closed", "trend"),
    ):  # fmt: skip
        assert cli.json(*command)["items"] == []
        cli.run(*command)


_REFUSED: tuple[tuple[tuple[str, ...], str], ...] = (
    (("bots", "show", "nobody"), "bot_id: bot 'nobody' does not exist"),
    (("bots", "start", "nobody"), "bot_id: bot 'nobody' does not exist"),
    (("bots", "change", "trend", "moon=1"), "a change must look like field=value"),
    (("bots", "change", "trend", "stop_loss_percent=100"), "stop_loss_percent must be above 0"),
    (("bots", "create", "nothing.yaml"), "nothing.yaml: no such file"),
    (("decisions", "trend", "--kind", "moon"), "--kind must be one of decision, risk, exit, was 'moon'"),
    (("decisions", "trend", "--since", "tomorrow"), "--since must be a time span"),
    (("orders", "show", "1234"), "ORDER must be the id of an order"),
    (("orders", "show", "0" * 32), "intent_id: order '00000000000000000000000000000000' does not exist"),
    (("orders", "list", "trend", "--state", "moon"), "state: Input should be 'RESERVED'"),
    (("positions", "show", "trend", "BTC/USDT"), "symbol: bot trend holds nothing of BTC/USDT"),
    (("positions", "show", "nobody", "BTC/USDT"), "bot_id: bot 'nobody' does not exist"),
    (("positions", "close", "trend", "BTC/USDT"), "Sell what trend holds of BTC/USDT now?"),
    (("positions", "close", "trend", "BTC/USDT", "--yes"), "must have an open position on BTC/USDT"),
    (("positions", "levels", "trend", "BTC/USDT"), "name what shall change"),
    (("budgets", "limit", BUDGET_ID, "moon"), "a limit must look like max_daily_loss=50"),
    (("budgets", "limit", BUDGET_ID, "moon=1"), "moon: Extra inputs are not permitted"),
    (("budgets", "entries", BUDGET_ID, "maybe"), "switch must be on or off, was 'maybe'"),
    (("budgets", "withdraw", BUDGET_ID, "5000", "--yes"), "amount must not be above the 1000 that is free"),
    (("accounts", "delete", "live-binance-main", "--yes"), "has budgets"),
    (("accounts", "create", "x", "--paper-balance", "much"), "paper_balance: "),
    (("accounts", "create", "x"), "paper_balance: a paper account needs a balance above 0"),
    (("panic", "stop", "--all"), "the level must be no-new, close-all or freeze, was 'stop'"),
    (("panic", "no-new"), "say what to stop"),
    (("panic", "no-new", "--all", "--bot", "trend"), "say what to stop"),
    (("panic", "freeze", "--all"), "FREEZE for everything"),
    (("panic", "no-new", "--bot", "nobody", "--yes"), "bot_id: bot 'nobody' does not exist"),
    (("resume",), "no stop is in force"),
    (("stops", "all-nothing"), "stop_id: stop 'all-nothing' does not exist"),
    (("tail", "--bot", "nobody", "--once"), "bot_id: bot 'nobody' does not exist"),
    (("tail", "--every", "often"), "--every must be a time span"),
    (("health", "--stage", "NO"), "--stage must be 2 to 12 lower-case"),
)  # fmt: skip


def test_a_refusal_is_one_sentence_and_exit_code_2(trend: Server, cli: Cli) -> None:
    for command, told in _REFUSED:
        assert told in cli.refused(*command), command
    assert not [request for request in trend.changes() if request.path.endswith("fund")]


def test_the_kill_switch_and_back(trend: Server, cli: Cli, cloud: Cloud) -> None:
    cli.run("bots", "start", "trend")
    pressed = cli.json("panic", "no-new", "--all", "--why", "maintenance", "--yes")
    assert (pressed["kind"], pressed["scope"], pressed["why"]) == ("NO_NEW", "all", "maintenance")
    budget = cloud.store.get(Budget, BUDGET_ID)
    assert budget is not None
    assert not budget.entries_allowed
    assert pressed["stop_id"] in cli.run("stops").stdout
    assert "maintenance" in cli.run("stops", pressed["stop_id"]).stdout
    frozen = cli.json("panic", "freeze", "--bot", "trend", "--yes")
    assert "STOP must be one of" in cli.refused("resume")
    cli.refused("resume", "--all")
    assert "lifted" in cli.run("resume", frozen["stop_id"], "--yes").stdout
    bot = cloud.store.get(Bot, "trend")
    assert bot is not None
    assert bot.state is BotState.ACTIVE
    cli.run("resume", "--yes")
    assert "no stop is in force" in cli.run("stops").stdout


def test_health_says_no_with_its_exit_code(trend: Server, cli: Cli, cloud: Cloud) -> None:
    told = cli.run("health", code=1).stdout
    assert told.startswith("unhealthy\n")
    assert "schedule dispatch is late or never ran" in told
    assert "live-binance-main" in told
    assert cli.json("health", code=1)["ok"] is False


def test_reconcile_tells_the_differences(trend: Server, cli: Cli, cloud: Cloud) -> None:
    assert "live-binance-main" in cli.run("reconcile").stdout
    account = cloud.store.get(Account, "live-binance-main")
    assert account is not None
    cloud.store.replace(replace(account, differences={"USDT": "12.5"}))
    assert "USDT 12.5" in cli.run("reconcile").stdout
    cloud.store.replace(replace(account, differences={"USDT": "-12.5"}, state=AccountState.OUT_OF_SYNC))
    assert "USDT -12.5" in cli.run("reconcile", code=1).stdout


def test_the_stage_may_be_named_before_the_command_or_in_the_environment(
    trend: Server, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "--stage must be" in cli.refused("--stage", "NO", "bots", "list")
    cli.run("--stage", "NO", "bots", "list", "--stage", "local")
    monkeypatch.setenv("SUREFILL_STAGE", "NO")
    assert "--stage must be" in cli.refused("bots", "list")
    cli.run("bots", "list", "--stage", "local")


class Terminal(io.StringIO):
    """A person at a terminal, who types this."""

    def isatty(self) -> bool:
        return True


def test_a_person_is_asked_and_may_say_no(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    session = Session(Where(stage="local", folder=home))
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    session.confirm("Sell?", yes=False)
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    with pytest.raises(typer.Exit) as ended:
        session.confirm("Sell?", yes=False)
    assert ended.value.exit_code == 1
    assert "nothing was done" in capsys.readouterr().err


def test_nobody_there_is_exit_code_3(home: Path, cli: Cli) -> None:
    assert "start one with `surefill up`" in cli.refused("health", code=3)
