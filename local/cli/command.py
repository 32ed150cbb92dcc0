"""What every command over the API shares: where to go, how to print, and what becomes an exit code."""

from __future__ import annotations

import inspect
import os
import signal
import sys
from dataclasses import dataclass
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from local.client.errors import UnreachableError
from local.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from rich.console import Console, RenderableType

    from local.client.api import ApiClient
    from local.client.target import Where
    from surefill.ports import Clock

DONE, NO, UNUSABLE, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 130
STAGE_VARIABLE = "SUREFILL_STAGE"
FOLDER_VARIABLE = "SUREFILL_FOLDER"
_FOLDER = Path(__file__).resolve().parents[2] / ".surefill" / "local"
_PANEL = "Where and how"
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
StageOption = Annotated[
    str | None,
    typer.Option(
        help=f"The deployment to talk to: local, or its name on AWS. Default: ${STAGE_VARIABLE}, then local.",
        rich_help_panel=_PANEL,
    ),
]
ProfileOption = Annotated[
    str | None, typer.Option(help="AWS profile for a stage on AWS.", rich_help_panel=_PANEL, show_default=False)
]
RegionOption = Annotated[
    str | None, typer.Option(help="AWS region of the stage.", rich_help_panel=_PANEL, show_default=False)
]
_JsonOption = Annotated[
    bool, typer.Option("--json", help="Print the API's own JSON.", rich_help_panel=_PANEL, show_default=False)
]
_KeyOption = Annotated[
    str | None,
    typer.Option(
        "--key", help="Repeat a run that got no answer, under the key it named.", rich_help_panel=_PANEL,
        show_default=False,
    ),
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What was said before the command: `surefill --stage prod health`."""

    stage: str | None = None
    profile: str | None = None
    region: str | None = None


class Session:
    """One run of a command: the API it talks to and the terminal it prints on."""

    def __init__(self, where: Where, *, as_json: bool = False, run_key: str | None = None) -> None:
        self.where = where
        self.as_json = as_json
        self._run_key = run_key

    @cached_property
    def api(self) -> ApiClient:
        """The API, looked up when it is first needed."""
        from local.client.api import ApiClient
        from local.client.target import find_target

        return ApiClient(find_target(self.where), run_key=self._run_key)

    @cached_property
    def console(self) -> Console:
        """The terminal."""
        from local.cli.output import console

        return console()

    def now(self) -> datetime:
        """The time of the stage: the local one has a clock of its own, which may run fast."""
        return self._clock.now()

    @cached_property
    def _clock(self) -> Clock:
        from surefill.adapters.clocks import RemoteClock, WallClock

        url = self.api.target.clock_url
        try:
            return RemoteClock(url) if url else WallClock()
        except (OSError, ValueError, KeyError):
            return WallClock()

    def show(self, document: Any, render: Callable[[], RenderableType]) -> None:
        """Print an answer: as it is, or as a person reads it."""
        if self.as_json:
            from local.cli.output import print_json

            print_json(document)
        else:
            self.console.print(render())

    def say(self, sentence: str) -> None:
        """A remark beside the answer; on the error output, so that it is in nobody's way."""
        if not self.as_json:
            typer.echo(sentence, err=True)

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask before money moves. Raises LocalError where nobody can answer, Exit(1) when the answer is no."""
        if yes:
            return
        if not sys.stdin.isatty():
            raise LocalError(f"this asks before it is done ({question}): add --yes where nobody can answer")
        if not typer.confirm(question, err=True):
            typer.echo("surefill: nothing was done", err=True)
            raise typer.Exit(NO)


def api_command(
    app: typer.Typer, name: str | None = None, *, changes: bool = False, **settings: Any
) -> Callable[[Callable[..., int | None]], Callable[..., None]]:
    """Make a command of a function that takes a Session first; it answers an exit code, None for done.

    The options that say where and how are added to its own; `changes` adds the key of a repeated run.
    """

    def register(function: Callable[..., int | None]) -> Callable[..., None]:
        @wraps(function)
        def command(context: typer.Context, **given: Any) -> None:
            where = where_of(
                Chosen(stage=given.pop("stage"), profile=given.pop("profile"), region=given.pop("region")), context
            )
            session = Session(where, as_json=given.pop("as_json"), run_key=given.pop("key", None))
            exit_with(lambda: function(session, **given))

        command.__signature__ = _signature(function, changes=changes)  # type: ignore[attr-defined]
        command.__annotations__ = {}
        app.command(name, **settings)(command)
        return command

    return register


def where_of(chosen: Chosen, context: typer.Context) -> Where:
    """Where to go: what the command says, else what was said before it, else the environment, else the local stage."""
    from local.client.target import LOCAL, Where

    before = context.find_root().obj
    earlier = before if isinstance(before, Chosen) else Chosen()
    return Where(
        stage=chosen.stage or earlier.stage or os.environ.get(STAGE_VARIABLE) or LOCAL,
        profile=chosen.profile or earlier.profile,
        region=chosen.region or earlier.region,
        folder=Path(os.environ.get(FOLDER_VARIABLE) or _FOLDER),
    )


def exit_with(run: Callable[[], int | None]) -> None:
    """Run a command. What is in the way is one sentence; 2 is for a person to change, 3 for nobody there."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code = run() or DONE
    except UnreachableError as problem:
        sys.stderr.write(f"surefill: {problem}\n")
        code = UNREACHABLE
    except LocalError as problem:
        sys.stderr.write(f"surefill: {problem}\n")
        code = UNUSABLE
    except KeyboardInterrupt:
        sys.stderr.write("surefill: stopped\n")
        code = INTERRUPTED
    raise typer.Exit(code)


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _signature(function: Callable[..., Any], *, changes: bool) -> inspect.Signature:
    hints = get_type_hints(function, include_extras=True)
    own = [
        parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in list(inspect.signature(function).parameters.items())[1:]
    ]
    shared: dict[str, tuple[Any, Any]] = {
        "as_json": (_JsonOption, False),
        "stage": (StageOption, None),
        "profile": (ProfileOption, None),
        "region": (RegionOption, None),
    }
    if changes:
        shared["key"] = (_KeyOption, None)
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
        for name, (annotation, default) in shared.items()
    ]
    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    return inspect.Signature([context, *own, *added])
