"""What a trade and a quiet minute may ask of AWS and of the venue. Counters, not clocks."""

from collections.abc import Iterator

import pytest

from tests.benchmarks.counts import counted_world, quiet_minute, round_trip
from tests.contract.engines import Engine
from tests.fakes.world import World


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[World, Engine]]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with counted_world() as made:
        yield made


def test_a_round_trip_is_at_most_eight_requests_and_forty_write_units(counted: tuple[World, Engine]) -> None:
    steps = round_trip(*counted)
    print({name: (dict(counts.calls), counts.write_units) for name, counts in steps.items()})
    assert sum(counts.requests for counts in steps.values()) <= 8
    assert sum(counts.write_units for counts in steps.values()) <= 40


@pytest.mark.parametrize("bots", [1, 100])
def test_a_quiet_minute_asks_the_venue_once_per_market_whatever_the_bots(
    counted: tuple[World, Engine], bots: int
) -> None:
    dispatched, evaluated, messages, requests = quiet_minute(*counted, bots=bots)
    assert requests == 1
    assert messages == 1
    assert evaluated.requests <= 3
    assert evaluated.write_units == 0
    assert dispatched.write_units == 1
