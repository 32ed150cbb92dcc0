"""Bots as files: what is read, what differs, what would be sent."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.cli.definitions import as_yaml, changed_definition, plan_changes, read_definitions
from local.cli.files import schema_text
from local.cli.schema import bot_schema
from local.errors import LocalError

REPOSITORY = Path(__file__).resolve().parents[3]
EXAMPLES = sorted((REPOSITORY / "examples" / "bots").glob("*.yaml"))
TREND = """
name: trend
budget_id: live-binance-main-b
symbols: [BTC/USDT]
strategy: composite
params: {rsi_period: 7, weight_rsi: 0.2}
timeframe: 1m
interval_seconds: 60
take_profit_percent: 3.50
stop_loss_percent: 2
"""
STORED: dict[str, Any] = {
    "bot_id": "trend", "account_id": "live-binance-main", "budget_id": "live-binance-main-b", "venue": "binance",
    "symbols": ["BTC/USDT"], "strategy": "composite", "params": {"rsi_period": 7, "weight_rsi": 0.2},
    "timeframe": "1m", "interval_seconds": 60, "budget_percent": "20", "take_profit_percent": "3.5",
    "stop_loss_percent": "2.0", "slippage_percent": "0.5", "confirmation_seconds": 300, "cooldown_seconds": 900,
    "state": "ACTIVE", "definition_hash": "x", "created_at": "2026-11-20T09:00:00Z",
}  # fmt: skip


def write(folder: Path, text: str, *, name: str = "trend.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_that_says_what_is_there_changes_nothing(tmp_path: Path) -> None:
    (plan,) = plan_changes(read_definitions([write(tmp_path, TREND)]), [STORED])
    assert (plan.action, plan.changes, plan.body) == ("keep", (), None)


def test_a_new_bot_is_sent_as_the_file_says_it_with_amounts_as_text(tmp_path: Path) -> None:
    (plan,) = plan_changes(read_definitions([write(tmp_path, TREND)]), [])
    assert plan.action == "create"
    assert plan.body is not None
    assert plan.body["take_profit_percent"] == "3.5"
    assert plan.body["params"] == {"rsi_period": 7, "weight_rsi": 0.2}
    assert "cooldown_seconds" not in plan.body
    assert ("cooldown_seconds", None, 900) in [(item.field, item.before, item.after) for item in plan.changes]


def test_only_what_differs_is_sent(tmp_path: Path) -> None:
    text = TREND.replace("3.50", "4").replace("rsi_period: 7", "rsi_period: 9")
    (plan,) = plan_changes(read_definitions([write(tmp_path, text)]), [STORED])
    assert plan.action == "change"
    changes = [(item.field, item.before, item.after) for item in plan.changes]
    assert changes == [("params.rsi_period", 7, 9), ("take_profit_percent", "3.5", "4")]
    assert plan.body == {"params": {"rsi_period": 9, "weight_rsi": 0.2}, "take_profit_percent": "4"}


def test_a_parameter_that_is_gone_is_a_change(tmp_path: Path) -> None:
    text = TREND.replace(", weight_rsi: 0.2", "")
    (plan,) = plan_changes(read_definitions([write(tmp_path, text)]), [STORED])
    assert [(item.field, item.before, item.after) for item in plan.changes] == [("params.weight_rsi", 0.2, None)]
    assert plan.body == {"params": {"rsi_period": 7}}


def test_what_a_person_insists_on_is_sent_with_a_change_and_is_none_itself(tmp_path: Path) -> None:
    (plan,) = plan_changes(read_definitions([write(tmp_path, TREND + "accept_risk_ratio: true\n")]), [STORED])
    assert plan.action == "keep"
    text = TREND.replace("3.50", "1") + "accept_risk_ratio: true\n"
    (plan,) = plan_changes(read_definitions([write(tmp_path, text)]), [STORED])
    assert plan.body == {"take_profit_percent": "1", "accept_risk_ratio": True}


def test_bots_without_a_file_are_only_deleted_when_asked(tmp_path: Path) -> None:
    others = [STORED, {**STORED, "bot_id": "zebra"}, {**STORED, "bot_id": "ant"}]
    definitions = read_definitions([write(tmp_path, TREND)])
    assert [plan.name for plan in plan_changes(definitions, others)] == ["trend"]
    pruned = plan_changes(definitions, others, prune=True)
    assert [(plan.action, plan.name) for plan in pruned] == [("keep", "trend"), ("delete", "ant"), ("delete", "zebra")]


def test_an_exported_bot_is_the_same_bot(tmp_path: Path) -> None:
    text = as_yaml(STORED, schema="bot.schema.json")
    assert text.startswith("# yaml-language-server: $schema=bot.schema.json\nname: trend\n")
    assert "state" not in text
    (plan,) = plan_changes(read_definitions([write(tmp_path, text)]), [STORED])
    assert plan.action == "keep"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TREND.replace("rsi_period: 7", "rsi_period: [7]"), "params.rsi_period"),
        (TREND.replace("3.50", "lots"), "take_profit_percent"),
        (TREND + "moon: 1\n", "moon"),
        (TREND.replace("name: trend", ""), "name"),
        ("- a\n- b\n", "must hold the fields of a bot"),
        ("a: [\n", "can't be read as YAML"),
    ],
)
def test_a_file_that_is_wrong_names_itself_and_the_field(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(LocalError) as refused:
        read_definitions([write(tmp_path, text)])
    assert str(refused.value).startswith(f"{tmp_path / 'trend.yaml'}: ")
    assert told in str(refused.value)


def test_the_same_bot_in_two_files_is_refused(tmp_path: Path) -> None:
    paths = [write(tmp_path, TREND), write(tmp_path, TREND, name="twin.yaml")]
    with pytest.raises(LocalError, match=r"twin.yaml: bot 'trend' is described in .*trend.yaml already"):
        read_definitions(paths)


def test_changes_typed_by_a_person() -> None:
    plan = changed_definition(
        STORED, ["stop_loss_percent=1.50", "params.rsi_period=9", "symbols=[\"BTC/USDT\", \"ETH/USDT\"]"]
    )  # fmt: skip
    assert plan.body == {
        "symbols": ["BTC/USDT", "ETH/USDT"],
        "params": {"rsi_period": 9, "weight_rsi": 0.2},
        "stop_loss_percent": "1.50",
    }
    assert changed_definition(STORED, ["stop_loss_percent=2"]).body is None


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("moon=1", "a change must look like field=value with one of name, budget_id"),
        ("stop_loss_percent", "a change must look like field=value"),
        ("stop_loss_percent=much", "the change: stop_loss_percent"),
        ("symbols=[BTC", "begins like JSON but is none"),
    ],
)
def test_changes_that_are_none(typed: str, told: str) -> None:
    with pytest.raises(LocalError) as refused:
        changed_definition(STORED, [typed])
    assert told in str(refused.value)


def test_the_examples_are_bots_with_the_schema_beside_them() -> None:
    definitions = read_definitions(EXAMPLES)
    assert len(definitions) == 3
    for path in EXAMPLES:
        assert path.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=../bot.schema.json\n")
    kept = (REPOSITORY / "examples" / "bot.schema.json").read_text(encoding="utf-8")
    assert kept == schema_text(bot_schema()), "write it anew: surefill schema bot > examples/bot.schema.json"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_could_be_created(path: Path) -> None:
    from surefill.usecases.control.specs import check_ratio, checked

    (definition,) = read_definitions([path])
    spec = checked(definition.body.spec())
    check_ratio(spec)
    assert spec.name == path.stem


def test_the_schema_knows_the_parameters_of_each_strategy() -> None:
    schema = bot_schema()
    swing = next(rule for rule in schema["allOf"] if rule["if"]["properties"]["strategy"]["const"] == "swing")
    assert "trend_period" in swing["then"]["properties"]["params"]["properties"]
    assert schema["properties"]["slippage_percent"]["type"] == ["string", "number"]
    references = [part.split('"')[0] for part in json.dumps(schema).split('"#/$defs/')[1:]]
    assert references
    assert set(references) <= set(schema["$defs"])
