"""Every drill, collected by pytest; and that none of the table's rows is missing."""

from pathlib import Path

import pytest

from tests.drills.drill import Drill
from tests.drills.shown import SHOWN
from tests.drills.table import DRILLS


@pytest.mark.parametrize("drill", DRILLS, ids=[drill.code for drill in DRILLS])
def test_drill(drill: Drill) -> None:
    assert drill.run().said


def test_every_row_has_its_drill() -> None:
    assert [drill.code for drill in DRILLS] == [f"N{number:02}" for number in range(1, 37)]


@pytest.mark.parametrize("title", SHOWN)
def test_the_guide_shows_what_why_really_says(title: str) -> None:
    guide = (Path(__file__).resolve().parents[2] / "docs" / "why.md").read_text(encoding="utf-8")
    assert "\n".join(("```text", *SHOWN[title](), "```")) in guide
