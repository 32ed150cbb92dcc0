"""Recipes: nothing ships unseen, nothing is left out without a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.bundling import BuildError, Target, build_function, build_layer
from infra.bundling.recipe import Recipe
from infra.bundling.tree import uncompiled
from tests.infra.conftest import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

LOCKED = """\
# made by a tool
alpha==1.0 \\
    --hash=sha256:aaaa \\
    --hash=sha256:bbbb
beta-two==2.0 ; python_version < '3.14' \\
    --hash=sha256:cccc
"""


def recipe(path: Path, text: str) -> Recipe:
    path.write_text(text, encoding="utf-8")
    return Recipe.read(path)


def test_a_recipe_selects_packages_with_their_hashes(tmp_path: Path) -> None:
    made = recipe(
        tmp_path / "recipe.toml",
        'group = "g"\nship = ["alpha"]\nmax_mb = 1\n[leave_out]\nbeta-two = "not used"\n',
    )
    assert made.select(LOCKED) == "alpha==1.0 \\\n    --hash=sha256:aaaa \\\n    --hash=sha256:bbbb\n"


def test_a_package_nobody_decided_about_stops_the_build(tmp_path: Path) -> None:
    made = recipe(tmp_path / "recipe.toml", 'group = "g"\nship = ["alpha"]\nmax_mb = 1\n')
    with pytest.raises(BuildError, match="say in the recipe whether beta-two ships"):
        made.select(LOCKED)


def test_a_package_that_is_not_locked_cannot_ship(tmp_path: Path) -> None:
    made = recipe(tmp_path / "recipe.toml", 'group = "g"\nship = ["alpha", "beta-two", "gamma"]\nmax_mb = 1\n')
    with pytest.raises(BuildError, match="does not lock gamma"):
        made.select(LOCKED)


@pytest.mark.parametrize(
    ("text", "message"),
    [('ship = ["a"]\nmax_mb = 1\n', "'group' is missing"), ('group = "g"\nshipp = []\n', "keys must be among")],
)
def test_a_recipe_with_a_wrong_key_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BuildError, match=message):
        recipe(tmp_path / "recipe.toml", text)


@pytest.mark.parametrize("name", ["runtime", "exchange", "analysis"])
def test_the_product_s_recipes_are_readable_and_give_reasons(name: str) -> None:
    made = Recipe.read(REPOSITORY / "layers" / name / "recipe.toml")
    assert made.group == name
    assert all(made.leave_out.values())


def test_an_unknown_layer_is_refused() -> None:
    with pytest.raises(BuildError, match="layer must be one of core, runtime, exchange, analysis, was 'extra'"):
        build_layer("extra", target=Target.local(), venues=("binance",), repository=REPOSITORY)


def test_a_function_is_its_own_files_with_bytecode(tmp_path: Path) -> None:
    source = tmp_path / "functions" / "dispatch"
    (source / "__pycache__").mkdir(parents=True)
    (source / "__pycache__" / "old.cpython-30.pyc").write_bytes(b"stale")
    (source / "handler.py").write_text("def handler(event, context):\n    return event\n", encoding="utf-8")
    target = Target.local()
    built = build_function("dispatch", target=target, repository=tmp_path)
    assert not uncompiled(built, target=target)
    names = {path.relative_to(built).as_posix() for path in built.rglob("*") if path.is_file()}
    assert names == {"handler.py", f"__pycache__/handler.{target.cache_tag}.pyc"}


def test_a_function_is_built_again_only_when_it_changes(tmp_path: Path) -> None:
    handler = tmp_path / "functions" / "dispatch" / "handler.py"
    handler.parent.mkdir(parents=True)
    handler.write_text("A = 1\n", encoding="utf-8")
    first = build_function("dispatch", target=Target.local(), repository=tmp_path) / "handler.py"
    made_at = first.stat().st_ino
    assert build_function("dispatch", target=Target.local(), repository=tmp_path).joinpath("handler.py") == first
    assert first.stat().st_ino == made_at
    handler.write_text("A = 2\n", encoding="utf-8")
    build_function("dispatch", target=Target.local(), repository=tmp_path)
    assert first.read_text(encoding="utf-8") == "A = 2\n"


def test_a_missing_function_is_named(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"functions/dispatch/handler\.py is missing"):
        build_function("dispatch", target=Target.local(), repository=tmp_path)


def test_code_that_does_not_compile_stops_the_build(tmp_path: Path) -> None:
    handler = tmp_path / "functions" / "dispatch" / "handler.py"
    handler.parent.mkdir(parents=True)
    handler.write_text("def handler(:\n", encoding="utf-8")
    with pytest.raises(BuildError, match="SyntaxError"):
        build_function("dispatch", target=Target.local(), repository=tmp_path)
