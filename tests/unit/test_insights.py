"""The evaluator behind the tests of saved queries reads the language as CloudWatch documents it."""

from typing import Any

import pytest

from tests.insights.language import QueryError
from tests.insights.run import run
from tests.insights.values import events

LINES = [
    '{"event": "order.sent", "bot": "a", "numbers": {"need": "10"}, "ms": 5}',
    '{"event": "order.filled", "bot": "a", "ms": 15}',
    '{"event": "signal.hold", "bot": "b", "ms": 10, "flag": false}',
    "START RequestId: 1",
]


def ask(query: str) -> list[dict[str, Any]]:
    return run(query, events(LINES, log="g"))


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ('event = "order.sent"', 1),
        ("event like /^(order|signal)\\./", 3),
        ('event like "order"', 2),
        ('event not like /^order/ and bot = "b"', 1),
        ('event in ["order.sent", "signal.hold"]', 2),
        ('event not in ["order.sent"]', 2),
        ("ms >= 10", 2),
        ("ispresent(numbers.need)", 1),
        ("not ispresent(event)", 1),
        ('numbers.need > 9 or bot = "b"', 2),
        ('(bot = "a" or bot = "b") and ms < 11', 2),
        ('nothing != "x"', 0),
        ("flag = 0", 1),
    ],
)
def test_conditions(condition: str, found: int) -> None:
    assert len(ask(f"filter {condition}")) == found


def test_figures_by_group_in_order() -> None:
    rows = ask(
        "# comment | with a pipe\n"
        "filter ispresent(bot) | stats count(*) as n, sum(ms) as total, max(ms), pct(ms, 95) as p,"
        ' latest(event) as last, earliest(event) as first, sum(strcontains(event, "sent")) as sent by bot | sort n desc'
    )
    assert rows == [
        {
            "bot": "a", "n": 2, "total": 20.0, "max(ms)": 15, "p": 15.0, "last": "order.filled", "first": "order.sent",
            "sent": 1.0,
        },
        {
            "bot": "b", "n": 1, "total": 10.0, "max(ms)": 10, "p": 10.0, "last": "signal.hold", "first": "signal.hold",
            "sent": 0.0,
        },
    ]  # fmt: skip


def test_columns_arithmetic_and_limit() -> None:
    assert ask("fields bot, ms * 2 + 1 as more, coalesce(numbers.need, bot) as x | sort more desc | limit 2") == [
        {"bot": "a", "more": 31.0, "x": "a"},
        {"bot": "b", "more": 21.0, "x": "b"},
    ]


def test_a_group_without_a_value_is_a_group() -> None:
    assert ask("stats count(*) as n by bot | sort n desc, bot asc") == [
        {"bot": "a", "n": 2}, {"n": 1}, {"bot": "b", "n": 1},
    ]  # fmt: skip


@pytest.mark.parametrize(
    "query",
    [
        "dedup bot",
        "filter bot ~ 1",
        "stats median(ms)",
        "fields lower(bot)",
        "filter bot =",
        "limit many",
        "sort bot up",
    ],
)
def test_what_is_not_known_is_refused(query: str) -> None:
    with pytest.raises(QueryError):
        ask(query)
