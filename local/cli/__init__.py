"""The command line of Surefill: `surefill --help`."""

import typer

from local.cli.catalogue import COMMANDS
from local.cli.command import Chosen, ProfileOption, RegionOption, StageOption
from local.cli.lazy import group_of

__all__ = ["app", "main"]

app = typer.Typer(
    name="surefill",
    cls=group_of(COMMANDS),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
    epilog="Commands talk to the local stage (`surefill up`) unless --stage or SUREFILL_STAGE names another. "
    "Exit codes: 0 done, 1 the answer is no, 2 bad input or refused, 3 nobody answered.",
)


@app.callback()
def _surefill(
    context: typer.Context,
    stage: StageOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Trading bots on AWS without a server: one signal, one order, one recorded position."""
    context.obj = Chosen(stage=stage, profile=profile, region=region)


def main() -> None:
    """Entry point."""
    app(prog_name="surefill")
