"""The command line: what is in the way is one sentence on the error output, exit code 2 and no traceback."""

import socket
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from local.cli import app
from local.errors import LocalError
from local.stage.deployment import Deployment, content_key
from local.stage.lock import StageLock
from local.stage.progress import Silent
from local.stage.toolchain import Toolchain, require_toolchain

runner = CliRunner()


def refused(*arguments: str) -> str:
    """The one sentence a command is refused with."""
    done = runner.invoke(app, list(arguments))
    assert done.exit_code == 2, done.output
    assert "Traceback" not in done.output
    lines = [line for line in done.stderr.splitlines() if line]
    assert len(lines) == 1, lines
    assert lines[0].startswith("surefill: ")
    return lines[0]


def test_help_names_the_commands() -> None:
    done = runner.invoke(app, ["--help"])
    assert done.exit_code == 0
    assert "up" in done.stdout
    assert "replay" in done.stdout


def test_a_second_up_in_the_same_folder(tmp_path: Path) -> None:
    lock = StageLock(tmp_path)
    lock.acquire()
    assert "is running already" in refused("up", "--plain", "--folder", str(tmp_path))
    lock.release()


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = refused("up", "--plain", "--folder", str(tmp_path), "--aws-port", str(port))
    assert f"port {port}, wanted for the local AWS, is in use" in told
    assert "--aws-port" in told


def test_a_pace_that_is_none(tmp_path: Path) -> None:
    assert "--pace must be a duration" in refused("up", "--pace", "fast", "--folder", str(tmp_path))


def test_a_replay_of_a_missing_file(tmp_path: Path) -> None:
    told = refused("replay", "--candles", str(tmp_path / "none.csv"), "--symbol", "BTC/USDT")
    assert "no such file" in told


def test_the_cdk_is_installed_once_and_its_failure_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "package-lock.json").write_text("{}")
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho 'npm error network request to registry failed' >&2\nexit 1\n")
    npm.chmod(0o755)
    with pytest.raises(LocalError, match=r"npm could not install the CDK.*network request to registry failed"):
        require_toolchain(tmp_path, find={"node": sys.executable, "npm": str(npm)}.get)


@pytest.mark.parametrize("program", ["node", "npm"])
def test_a_missing_program_is_named(tmp_path: Path, program: str) -> None:
    (tmp_path / "package-lock.json").write_text("{}")
    found = {"node": sys.executable, "npm": sys.executable}
    del found[program]
    with pytest.raises(LocalError, match=r"(Node\.js|npm) is needed.*was found neither"):
        require_toolchain(tmp_path, find=found.get)


@pytest.mark.parametrize(
    ("printed", "words"),
    [
        ("surefill: stage must be 2 to 12 lower-case letters", "cdk synth failed: stage must be 2 to 12"),
        ("error sending request for url (https://x)", "downloads packages and the network did not answer"),
        ("Surefill-local-Data | 1/9 | CREATE_FAILED | AWS::SNS::Topic | Events", "CREATE_FAILED"),
    ],
)
def test_a_failed_cdk_says_why_in_one_sentence(tmp_path: Path, printed: str, words: str) -> None:
    script = tmp_path / "cdk.py"
    script.write_text(f"print('some line')\nprint({printed!r})\nraise SystemExit(1)\n")
    made = Deployment(
        repository=tmp_path,
        folder=tmp_path / "stage",
        endpoint="http://127.0.0.1:1",
        toolchain=Toolchain(node=sys.executable, cdk=str(script)),
    )
    with pytest.raises(LocalError, match=words):
        made.synthesise({"stage": "local"}, progress=Silent())


def test_the_content_key_follows_sources_and_context(tmp_path: Path) -> None:
    (tmp_path / "functions" / "dispatch").mkdir(parents=True)
    source = tmp_path / "functions" / "dispatch" / "handler.py"
    source.write_text("a = 1\n")
    first = content_key(tmp_path, {"stage": "local"})
    assert content_key(tmp_path, {"stage": "local"}) == first
    assert content_key(tmp_path, {"stage": "dev"}) != first
    source.write_text("a = 2\n")
    assert content_key(tmp_path, {"stage": "local"}) != first
