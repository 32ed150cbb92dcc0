"""The help and the completion: what a person sees who has never seen the project."""

import os
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from local.cli import app
from local.cli.catalogue import COMMANDS
from local.client.cache import cached_names
from local.client.target import Where
from tests.unit.cli.conftest import Answer, Cli, Request

GOLDEN = Path(__file__).parent / "help"
REPOSITORY = Path(__file__).resolve().parents[3]
_PLAIN = {
    name: value for name, value in os.environ.items() if name not in ("GITHUB_ACTIONS", "FORCE_COLOR", "PY_COLORS")
}
HELPS = {
    "surefill": [],
    "bots": ["bots"],
    "accounts": ["accounts"],
    "accounts_import": ["accounts", "import"],
    "panic": ["panic"],
    "why": ["why"],
    "apply": ["apply"],
}


def printed(*arguments: str, **environment: str) -> str:
    """What a new process prints."""
    done = subprocess.run(
        [sys.executable, "-m", "local", *arguments],
        cwd=REPOSITORY, check=True, capture_output=True, text=True,
        env={**_PLAIN, "TERMINAL_WIDTH": "100", "COLUMNS": "100", "NO_COLOR": "1", **environment},
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize("name", HELPS)
def test_the_help_reads_as_it_was_agreed(name: str) -> None:
    text = "\n".join(line.rstrip() for line in printed(*HELPS[name], "--help").splitlines()) + "\n"
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("WRITE_HELP"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), "write it anew: WRITE_HELP=1 pytest tests/unit/cli/test_help.py"


def leaves(command: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Every command below a command, as a person types it."""
    if not hasattr(command, "commands"):
        return [(path, command)]
    return [leaf for name, inner in command.commands.items() for leaf in leaves(inner, (*path, name))]


def all_commands() -> list[tuple[tuple[str, ...], Any]]:
    return [leaf for entry in COMMANDS for leaf in leaves(entry.load(), (entry.name,))]


def test_every_command_says_what_it_does_and_takes_json() -> None:
    commands = dict(all_commands())
    assert len(commands) > 40
    for path, command in commands.items():
        assert command.help, path
        assert command.help[0].isupper(), path
        assert len(command.get_short_help_str(200).split(".")[0]) <= 120, path
    without = {
        path for path, command in commands.items() if "--json" not in {o for p in command.params for o in p.opts}
    }
    # Files and schemas are printed as they are; the stage in front of you, and downloads, have no document.
    assert {path for path in without if path[0] not in ("strategy", "candles", "up")} == {("schema",)}


def test_every_command_over_the_api_says_where_it_goes() -> None:
    local = {"strategy", "backtest", "candles", "up", "replay", "schema"}
    for path, command in all_commands():
        if path[0] not in local:
            assert {"--stage", "--profile", "--region"} <= {opt for param in command.params for opt in param.opts}, path


def test_the_help_imports_nothing_it_does_not_need() -> None:
    code = (
        "import sys, local.cli; from typer.main import get_command;"
        "get_command(local.cli.app).main(['--help'], standalone_mode=False);"
        "print([name for name in ('boto3', 'botocore', 'pydantic', 'numpy', 'yaml', 'local.stage.stage')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_console_script_is_the_same_program() -> None:
    scripts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["scripts"]
    module, _, name = scripts["surefill"].partition(":")
    assert callable(getattr(import_module(module), name))


def test_a_mistyped_command_is_named(cli: Cli) -> None:
    assert "Did you mean 'health'?" in cli.run("helth", code=2).stderr


class TestCompletion:
    """What the shell offers."""

    def complete(self, line: str, home: Path) -> list[str]:
        words = line.split(" ")
        return printed(
            _SUREFILL_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1),
            SUREFILL_FOLDER=str(home), XDG_CACHE_HOME=str(home / "cache"),
        ).split()  # fmt: skip

    def test_commands_and_names_of_bots(self, home: Path, scripted: Any) -> None:
        def answer(_: Request) -> Answer:
            return Answer(200, {"items": [{"bot_id": "trend"}, {"bot_id": "turtle"}, {"bot_id": "ant"}], "next": None})

        server = scripted(answer)
        assert self.complete("surefill po", home) == ["positions"]
        assert self.complete("surefill bots pa", home) == ["pause"]
        assert server.requests == []
        assert self.complete("surefill bots pause t", home) == ["trend", "turtle"]
        assert self.complete("surefill why a", home) == ["ant"]
        assert len(server.requests) == 1

    def test_nobody_there_completes_nothing(self, home: Path) -> None:
        assert self.complete("surefill bots pause t", home) == []


def test_names_are_kept_for_a_minute(home: Path) -> None:
    where = Where(stage="local", folder=home)
    assert cached_names("bots", where, fetch=lambda: ["a"]) == ["a"]
    assert cached_names("bots", where, fetch=lambda: ["b"]) == ["a"]
    assert cached_names("budgets", where, fetch=lambda: ["c"]) == ["c"]
    assert cached_names("bots", Where(stage="prod", folder=home), fetch=lambda: ["d"]) == ["d"]
    (kept,) = (path for path in (home / "cache" / "surefill").glob("bots-*.json") if "a" in path.read_text())
    os.utime(kept, (0, 0))
    assert cached_names("bots", where, fetch=lambda: ["b"]) == ["b"]
    kept.write_text("{")
    assert cached_names("bots", where, fetch=lambda: ["e"]) == ["e"]


def test_the_root_is_a_typer_app() -> None:
    assert isinstance(app, typer.Typer)
    assert set(get_command(app).commands) == {entry.name for entry in COMMANDS}  # type: ignore[attr-defined]
