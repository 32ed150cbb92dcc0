"""Events become JSON lines with coded names; telling never fails."""

import json
from io import StringIO
from uuid import uuid4

import pytest
from aws_lambda_powertools import Logger, Metrics

from surefill.domain.reasons import Reason
from surefill.observability import PowertoolsObserver
from tests.fakes.rows import TICK


class Told:
    """An observer and what it wrote."""

    def __init__(self) -> None:
        # A name of its own: Powertools keeps one log handler per service for the life of the process.
        service, self._stream = uuid4().hex, StringIO()
        self.observer = PowertoolsObserver(
            logger=Logger(service=service, stream=self._stream), metrics=Metrics(namespace="Surefill", service=service)
        )

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]


@pytest.fixture
def told() -> Told:
    return Told()


def test_an_event_is_one_line_with_its_code_and_evidence(told: Told) -> None:
    told.observer.event(Reason.BUY, bot="trend", tick=TICK, intent=None)
    (line,) = told.lines()
    assert (line["event"], line["bot"], line["tick"]) == ("decision.buy", "trend", "2026-01-05T12:00:00Z")
    assert "intent" not in line


@pytest.mark.parametrize(
    ("reason", "level"),
    [(Reason.BUY, "INFO"), (Reason.UNKNOWN, "WARNING"), (Reason.OVERRUN, "ERROR"), (Reason.WAITING_COOLDOWN, "INFO")],
)
def test_trading_events_are_never_hidden_below_info(told: Told, reason: Reason, level: str) -> None:
    """Incident N05."""
    told.observer.event(reason)
    assert told.lines()[0]["level"] == level


@pytest.mark.parametrize("name", ["message", "name", "args", "levelname", "asctime"])
def test_a_field_that_a_log_record_claims_is_told_all_the_same(told: Told, name: str) -> None:
    told.observer.event(Reason.HOLD, **{name: "told"})
    assert "told" in told.lines()[0].values()


def test_every_reason_can_be_told(told: Told) -> None:
    for reason in Reason:
        told.observer.event(reason)
    assert [line["event"] for line in told.lines()] == [str(reason) for reason in Reason]


def test_a_number_can_be_told_apart_by_dimensions(told: Told, capsys: pytest.CaptureFixture[str]) -> None:
    told.observer.metric("RealisedProfit", -1.5, account="live-binance-main")
    line = json.loads(capsys.readouterr().out)
    (figure,) = line["_aws"]["CloudWatchMetrics"]
    assert figure["Namespace"] == "Surefill"
    assert set(figure["Dimensions"][0]) == {"service", "account"}
    assert (line["RealisedProfit"], line["account"]) == ([-1.5], "live-binance-main")
