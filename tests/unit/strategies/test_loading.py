"""Finding strategies: built-in ones, a folder's, entry points, and what is wrong with the rest."""

import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from surefill.strategies import STRATEGIES, loading
from surefill.strategies.base import Strategy
from surefill.strategies.composite import Composite
from surefill.strategies.loading import BUILT_IN, Catalogue, StrategyFileError, load_file

GOOD = """
from surefill.strategies import base

class {prefix}(base.Strategy):
    name = "{name}"
    Params = base.Params

    def needs(self, symbols, symbol):
        return base.Needs(candles=1)

    def decide(self, market, position):
        return base.Signal(action=base.Action.HOLD)
"""


def write(folder: Path, name: str, text: str | None = None) -> Path:
    path = folder / f"{name}.py"
    path.write_text(GOOD.format(name=name, prefix=name.capitalize()) if text is None else text)
    return path


def test_every_file_of_a_strategy_is_built_in() -> None:
    folder = Path(loading.__file__).parent
    not_strategies = {"__init__", "base", "grids", "indicators", "loading", "market"}
    assert {path.stem for path in folder.glob("*.py")} - not_strategies == set(BUILT_IN)
    for name in BUILT_IN:
        assert STRATEGIES[name].name == name
        assert STRATEGIES.source(name) == "built-in"


def test_a_folder_adds_strategies(tmp_path: Path) -> None:
    path = write(tmp_path, "mine")
    write(tmp_path, "_helper", "raise RuntimeError")
    catalogue = Catalogue(tmp_path)
    assert catalogue["mine"].name == "mine"
    assert issubclass(catalogue["mine"], Strategy)
    assert (catalogue["composite"], catalogue.source("mine"), catalogue.problems) == (Composite, str(path), ())
    assert set(catalogue) == {*BUILT_IN, "mine"}
    assert len(catalogue) == len(BUILT_IN) + 1
    assert "nobody" not in catalogue


def test_the_folder_may_be_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "mine")
    monkeypatch.setenv(loading.FOLDER_VARIABLE, str(tmp_path))
    assert "mine" in Catalogue()
    monkeypatch.setenv(loading.FOLDER_VARIABLE, str(tmp_path / "missing"))
    assert set(Catalogue()) == set(BUILT_IN)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import nothing_like_this", "ModuleNotFoundError: No module named 'nothing_like_this'"),
        ("def broken(", "SyntaxError"),
        ("raise SystemExit('bye')", "SystemExit: bye"),
        ("answer = 42", "exactly one subclass of Strategy, surefill_own_bad has 0"),
        (GOOD.format(name="one", prefix="One") + GOOD.format(name="two", prefix="Two"), "has 2"),
        (GOOD.format(name="bad", prefix="Bad").replace('    name = "bad"\n', ""), "must set the class attribute name"),
        (GOOD.format(name="bad", prefix="Bad").replace("def decide", "def decides"), "must define decide"),
        (GOOD.format(name="dca", prefix="Bad"), "another strategy is named 'dca' already"),
        (GOOD.format(name="good", prefix="Bad"), "another strategy is named 'good' already"),
    ],
)
def test_a_bad_file_is_a_problem_of_its_own(tmp_path: Path, text: str, says: str) -> None:
    path = write(tmp_path, "bad", text)
    write(tmp_path, "a_good", GOOD.format(name="good", prefix="Good"))
    catalogue = Catalogue(tmp_path)
    assert "good" in catalogue
    (problem,) = catalogue.problems
    assert problem.source == str(path)
    assert says in problem.error


def test_a_file_that_failed_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        load_file(write(tmp_path, "leaves", "raise RuntimeError"))
    assert "surefill_own_leaves" not in sys.modules
    with pytest.raises(StrategyFileError, match="must be a Python file"):
        load_file(tmp_path / "missing.py")


def test_packages_announce_strategies(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint(name="a", value="surefill.strategies.composite:_sign", group=loading.GROUP),
        EntryPoint(name="b", value="nobody.knows:This", group=loading.GROUP),
        EntryPoint(name="c", value="tests.unit.strategies.test_loading:Announced", group=loading.GROUP),
    ]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: EntryPoints(points).select(group=group))
    catalogue = Catalogue()
    assert catalogue["announced"].__name__ == "Announced"
    assert catalogue.source("announced") == "entry point tests.unit.strategies.test_loading:Announced"
    assert [problem.source for problem in catalogue.problems] == [
        "entry point nobody.knows:This", "entry point surefill.strategies.composite:_sign",
    ]  # fmt: skip


class Announced(Composite):
    """What a package would bring."""

    name = "announced"


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    code = (
        "import sys; from surefill.strategies import STRATEGIES, indicators; STRATEGIES['dca'];"
        "print(sorted(name for name in sys.modules if name.startswith('surefill.strategies.') or name in"
        " ('numpy', 'talib', 'importlib.metadata')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = eval(done.stdout)
    assert "surefill.strategies.dca" in loaded
    assert {"surefill.strategies.composite", "surefill.strategies.pairs", "numpy", "talib"}.isdisjoint(loaded)
