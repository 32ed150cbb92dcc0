"""Import budgets: how many modules each function loads, and what none of them may."""

import pytest

from infra.bundling.errors import CannotBuildHereError
from infra.catalogue import FunctionSpec
from tests.benchmarks.starts import ALL, Start, start_function, start_obvious, talks_to_a_venue

# Modules loaded with the composition root built; the obvious stack loads about a thousand.
BUDGETS = {
    "dispatch": 460, "claim_order": 460, "publish_events": 460, "close_position": 480, "bot_api": 690,
    "place_order": 570, "settle_order": 570, "watch_exits": 570, "reconcile": 570, "sync_account": 570,
    "refresh_markets": 570, "evaluate": 740,
}  # fmt: skip
FORBIDDEN = ("pandas", "polars", "aiohttp", "aws_xray_sdk", "boto3", "ccxt.async_support", "ccxt.pro", "ccxt.kraken")
ONLY_EVALUATE = ("numpy", "talib")
ONLY_WITH_A_VENUE = ("ccxt", "requests")


def started(function: FunctionSpec) -> Start:
    try:
        return start_function(function)
    except CannotBuildHereError as error:
        pytest.skip(f"layers can't be built here: {error}")


@pytest.mark.parametrize("function", ALL, ids=lambda function: function.name)
def test_a_function_loads_what_it_needs_and_no_more(function: FunctionSpec) -> None:
    start = started(function)
    banned = {name for name in FORBIDDEN if name in start.names}
    if function.name != "evaluate":
        banned |= {name for name in ONLY_EVALUATE if name in start.names}
    if not talks_to_a_venue(function):
        banned |= {name for name in ONLY_WITH_A_VENUE if name in start.names}
    assert not banned
    assert start.modules <= BUDGETS[function.name]
    assert start.complaints == ""


def test_the_yardstick_loads_far_more() -> None:
    """If the obvious stack became light, the budgets above would prove nothing."""
    try:
        obvious = start_obvious()
    except CannotBuildHereError as error:
        pytest.skip(f"the yardstick can't be installed here: {error}")
    assert obvious.modules > 900
    assert "aws_xray_sdk" in obvious.names
