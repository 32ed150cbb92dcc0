"""Bots as files over the real API: apply, export, schema."""

import json
from pathlib import Path

import pytest

from surefill.domain.rows import Bot
from tests.integration.conftest import Cloud
from tests.unit.cli.conftest import BUDGET_ID, Cli, Server

FILE = f"""
name: NAME
budget_id: {BUDGET_ID}
symbols: [BTC/USDT]
strategy: composite
params: {{rsi_period: PERIOD}}
take_profit_percent: 3.5
stop_loss_percent: 2
sizing: {{mode: risk, risk_percent: 0.5}}
"""


def write(folder: Path, name: str, *, period: int = 14) -> str:
    path = folder / f"{name}.yaml"
    path.write_text(FILE.replace("NAME", name).replace("PERIOD", str(period)))
    return str(path)


def test_bots_become_as_their_files_say(furnished: Server, cli: Cli, cloud: Cloud, tmp_path: Path) -> None:
    files = [write(tmp_path, "one", period=10), write(tmp_path, "two", period=20)]
    shown = cli.run("apply", *files, "--dry-run").stdout
    assert "+ one: create" in shown
    assert "params.rsi_period: 10" in shown
    assert furnished.changes() == []
    told = cli.refused("apply", *files)
    assert "Create 2?" in told
    cli.run("apply", *files, "--yes")
    bot = cloud.store.get(Bot, "one")
    assert bot is not None
    assert (str(bot.take_profit_percent), str(bot.sizing.risk_percent), bot.state) == ("3.5", "0.5", "PAUSED")
    furnished.requests.clear()
    assert "  one: unchanged" in cli.run("apply", *files).stdout
    assert furnished.changes() == []


def test_only_what_differs_is_changed(furnished: Server, cli: Cli, cloud: Cloud, tmp_path: Path) -> None:
    path = write(tmp_path, "one")
    cli.run("apply", path, "--yes")
    text = Path(path).read_text()
    Path(path).write_text(text.replace("3.5", "4").replace("{mode: risk, risk_percent: 0.5}", "{}"))
    furnished.requests.clear()
    shown = cli.run("apply", path, "--yes").stdout
    assert "~ one: change" in shown
    assert "take_profit_percent: 3.5 -> 4" in shown
    assert "sizing.mode: risk -> percent" in shown
    (request,) = furnished.changes()
    assert (request.method, request.path, sorted(json.loads(request.body))) == (
        "PATCH", "/bots/one", ["sizing", "take_profit_percent"],
    )  # fmt: skip
    bot = cloud.store.get(Bot, "one")
    assert bot is not None
    assert bot.sizing.mode == "percent"
    assert "one: unchanged" in cli.run("apply", path).stdout


def test_bots_without_a_file_are_only_deleted_when_asked(furnished: Server, cli: Cli, tmp_path: Path) -> None:
    one, two = write(tmp_path, "one", period=10), write(tmp_path, "two", period=20)
    cli.run("apply", one, two, "--yes")
    assert "two" not in cli.run("apply", one, "--yes").stdout
    assert "- two: delete" in cli.run("apply", one, "--prune", "--dry-run").stdout
    document = cli.json("apply", one, "--prune", "--yes")
    assert [(plan["action"], plan["bot"]) for plan in document["plan"]] == [("keep", "one"), ("delete", "two")]
    assert document["done"] == [{"bot_id": "two", "deleted": True}]
    assert [bot["bot_id"] for bot in cli.json("bots", "list")["items"]] == ["one"]


def test_a_refused_bot_is_named_with_its_file(furnished: Server, cli: Cli, tmp_path: Path) -> None:
    one, twin = write(tmp_path, "one"), write(tmp_path, "twin")
    told = cli.run("apply", one, twin, "--yes", code=2).stderr
    assert f"bot twin ({twin}) was not created: name: bot 'one' has exactly this definition already" in told
    assert [bot["bot_id"] for bot in cli.json("bots", "list")["items"]] == ["one"]


def test_what_is_exported_is_applied_without_a_change(furnished: Server, cli: Cli, tmp_path: Path) -> None:
    cli.run("apply", write(tmp_path, "one", period=10), write(tmp_path, "two", period=20), "--yes")
    out = tmp_path / "out"
    cli.run("export", "--out", str(out))
    assert sorted(path.name for path in out.iterdir()) == ["bot.schema.json", "one.yaml", "two.yaml"]
    assert "risk_percent: '0.5'" in (out / "one.yaml").read_text()
    assert "kelly" not in (out / "one.yaml").read_text()
    document = cli.json("apply", *(str(path) for path in sorted(out.glob("*.yaml"))))
    assert [plan["action"] for plan in document["plan"]] == ["keep", "keep"]
    assert cli.run("export", "two").stdout == (out / "two.yaml").read_text()
    assert "bot_id: bot 'three' does not exist" in cli.refused("export", "three")
    assert "--out" in cli.refused("export", "--out", str(out / "one.yaml"))


@pytest.mark.parametrize(
    ("content", "told"),
    [("name: one\n", "budget_id: Field required"), (FILE + "moon: 1\n", "moon: Extra inputs are not permitted")],
)
def test_a_file_that_is_none_is_refused_before_anything_is_asked(home: Path, cli: Cli, content: str, told: str) -> None:
    path = home / "one.yaml"
    path.write_text(content.replace("PERIOD", "14"))
    assert f"{path}: {told}" in cli.refused("apply", str(path))


def test_the_schema_is_printed(cli: Cli) -> None:
    assert json.loads(cli.run("schema", "bot").stdout)["title"] == "Surefill bot"
    assert "the schema of 'moon' is not known" in cli.refused("schema", "moon")
