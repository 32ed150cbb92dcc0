"""Every protection is necessary: nothing is found with all in place, and a readable counterexample without any one."""

import pytest

from tests.protections.named import PROTECTIONS
from tests.protections.table import Protection, find


@pytest.mark.parametrize(
    "protection",
    [pytest.param(one, id=one.name) for one in PROTECTIONS],
)
def test_a_protection_that_is_taken_out_is_missed(protection: Protection) -> None:
    found = find(protection)
    assert found.whole.violation is None, f"with everything in place: {found.whole.violation}"
    assert found.whole.complete
    if protection.backed_by:
        assert found.alone.violation is None, "covered by others, yet missed alone: say so in the table"
        assert found.backing is not None
        assert found.backing.violation is None, f"must hold alone what its backing lets pass: {found.backing.violation}"
    assert found.caught
    assert found.violation is not None
    assert len(found.violation.story) >= 1


def test_protections_have_names_of_their_own() -> None:
    names = [one.name for one in PROTECTIONS]
    assert len(set(names)) == len(names)
