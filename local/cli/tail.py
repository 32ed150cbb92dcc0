"""`surefill tail`: the story as it happens."""

import json
import sys
from time import sleep
from typing import Annotated

import typer
from rich.text import Text

from local.cli.command import Session, api_command
from local.cli.completion import BotOption
from local.cli.feed import Feed, News
from local.cli.orders import filled, side_of
from local.cli.output import console, gain, numbers, reason, state
from local.cli.times import since_of, span_of
from local.client.errors import UnreachableError
from local.errors import LocalError

app = typer.Typer(add_completion=False)
# Each bot costs four requests a look.
_MOST_BOTS = 25
_SHORT = 8


@api_command(app)
def tail(
    session: Session,
    bot: BotOption = None,
    since: Annotated[str, typer.Option(help="How far back it begins: 10m, 2h, 2026-11-20T09:00.")] = "10m",
    every: Annotated[str, typer.Option(help="How often it looks: 2s, 1m.")] = "2s",
    once: Annotated[bool, typer.Option("--once", help="Tell what there is and end.")] = False,
) -> None:
    """Follow decisions, exits, stops and orders as they happen. Ctrl-C ends it.

    With --json each thing is one line: the journal's entry, or the order as it is then.
    """
    pause = max(span_of(every, option="--every").total_seconds(), 0.1)
    bots = [bot] if bot else [str(item["bot_id"]) for item in session.api.each("bots")]
    if len(bots) > _MOST_BOTS:
        raise LocalError(f"this stage has {len(bots)} bots, tail follows {_MOST_BOTS} at most: choose one with --bot")
    if bot:
        session.api.get("bots", bot)
    feed = Feed(session.api, bots=bots, since=since_of(since, now=session.now()))
    _tell(session, feed.news())
    while not once:
        sleep(pause)
        try:
            _tell(session, feed.news())
        except UnreachableError as problem:
            console(stderr=True).print(Text(f"surefill: {problem}; trying again", style="yellow"))


def _tell(session: Session, news: list[News]) -> None:
    for one in news:
        if session.as_json:
            sys.stdout.write(json.dumps(one.item) + "\n")
            sys.stdout.flush()
        else:
            session.console.print(line_of(one), soft_wrap=True)


def line_of(news: News) -> Text:
    """One thing that happened, on one line."""
    item = news.item
    head = Text.assemble(
        (f"{news.at.astimezone():%H:%M:%S}", "dim"), "  ", (news.bot, "bold"), "  ", item.get("symbol") or "-", "  "
    )
    if not news.order:
        told = numbers(item.get("numbers") or {})
        return Text.assemble(head, reason(item["reason"]) or "", "  ", (told, "dim"))
    parts: list[Text | str] = [
        head, side_of(item), f" {item['leg'].lower()} order ", state(item["state"]) or "", "  ",
        reason(item.get("outcome")) or "", "  ", filled(item) or "",
    ]  # fmt: skip
    if item.get("realised") is not None:
        parts += ["  ", gain(item["realised"]) or ""]
    return Text.assemble(*parts, ("  " + item["intent_id"][:_SHORT], "dim"))
