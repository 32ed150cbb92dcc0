"""The table of sayings: complete, and usable whatever numbers are missing."""

import pytest

from surefill.domain.reasons import Reason
from surefill.usecases.explain.remedies import SAYINGS


def test_every_reason_has_its_saying() -> None:
    assert set(SAYINGS) == set(Reason)


@pytest.mark.parametrize("reason", Reason)
def test_a_saying_needs_no_number_to_be_said(reason: Reason) -> None:
    saying = SAYINGS[reason]
    assert saying.said({})
    assert "{" not in saying.said({})
    assert saying.advised({}).endswith(".")
    assert "{" not in saying.advised({})


def test_numbers_are_filled_in() -> None:
    said = SAYINGS[Reason.BUDGET_TOO_SMALL].said({"need": "147.63", "have": "84.54"})
    assert said == "budget: need 147.63, have 84.54"
