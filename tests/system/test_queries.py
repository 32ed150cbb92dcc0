"""The saved queries over what the deployed functions wrote to CloudWatch Logs, as the log service keeps it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.catalogue import FUNCTIONS
from local.exchange.settings import LOCAL_KEY
from surefill.domain.kinds import Leg
from tests.insights import run as insights
from tests.insights.values import events
from tests.system.bench import OTHER_KEY, Bench

_QUERIES = Path(__file__).resolve().parents[2] / "infra" / "saved_queries"
BOT = "REPLACE-WITH-BOT-ID"
INTENT = "REPLACE-WITH-INTENT-ID"


def written(bench: Bench) -> list[dict[str, Any]]:
    """Every line of every function, oldest first."""
    found: list[dict[str, Any]] = []
    for spec in FUNCTIONS:
        group = f"/aws/lambda/{bench.stage.function(spec.name)}"
        pages = bench.stage.aws.logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        for event in (event for page in pages for event in page["events"]):
            for line in event["message"].splitlines():
                found += events([line], log=group, at=event["timestamp"] / 1_000)
    return sorted(found, key=_written_at)


def _written_at(row: Mapping[str, Any]) -> tuple[str, float]:
    return str(row.get("timestamp", "")), row["@timestamp"]


def ask(bench: Bench, query: str, **replaced: str) -> list[dict[str, Any]]:
    text = (_QUERIES / f"{query}.txt").read_text(encoding="utf-8")
    for placeholder, value in replaced.items():
        text = text.replace(placeholder, value)
    rows = [{**row, "@timestamp": index} for index, row in enumerate(written(bench))]
    return insights.run(text, rows)


def test_a_trade_is_told_from_decision_to_sale(bench: Bench) -> None:
    bot = bench.make_bot("queried", symbol="XLM/USDT")
    bench.open_position(bot)
    bench.close_position(bot, symbol="XLM/USDT")
    (entry,), (sale,) = bench.intents(bot), bench.intents(bot, Leg.EXIT)
    bench.wait_until(lambda: len(_mine(ask(bench, "exits/by_reason"), "why", "exit.take_profit")) == 1)
    life = [(row["service"], row["event"]) for row in ask(bench, "orders/one_order", **{INTENT: entry.intent_id})]
    assert [service for service, _ in life][:3] == ["evaluate", "claim_order", "place_order"]
    assert ("place_order", "order.filled") in life
    life = [(row["service"], row["event"]) for row in ask(bench, "orders/one_order", **{INTENT: sale.intent_id})]
    assert life[0] == ("watch_exits", "exit.take_profit")
    assert ("place_order", "order.filled") in life
    assert _mine(ask(bench, "orders/unfinished"), "bot", bot) == []
    assert _mine(ask(bench, "orders/refused"), "bot", bot) == []
    assert [row["symbol"] for row in _mine(ask(bench, "exits/triggered"), "bot", bot)] == ["XLM/USDT"]
    assert "decision.buy" in {row["event"] for row in ask(bench, "decisions/by_bot", **{BOT: bot})}
    bench.stop_bot(bot)


def test_no_line_of_the_stage_holds_a_key_or_a_secret(bench: Bench) -> None:
    rows = written(bench)
    assert len(rows) > 20
    words = (LOCAL_KEY.key, LOCAL_KEY.secret, *OTHER_KEY[:2], "signature=", "X-MBX-APIKEY")
    assert [row["@message"] for row in rows if any(word in row["@message"] for word in words)] == []


def _mine(rows: list[dict[str, Any]], name: str, value: str) -> list[dict[str, Any]]:
    return [row for row in rows if row.get(name) == value]
