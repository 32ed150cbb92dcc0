"""Every drill, collected by pytest; and that none of the table's rows is missing."""

import pytest

from tests.drills.drill import Drill
from tests.drills.table import DRILLS


@pytest.mark.parametrize("drill", DRILLS, ids=[drill.code for drill in DRILLS])
def test_drill(drill: Drill) -> None:
    assert drill.run().said


def test_every_row_has_its_drill() -> None:
    assert [drill.code for drill in DRILLS] == [f"N{number:02}" for number in range(1, 37)]
