"""An explanation as a person reads it: one screen, the answer first."""

from collections.abc import Iterable

from surefill.usecases.explain.making import lasting, moment
from surefill.usecases.explain.model import Explanation, Link, Story

# A screen, and how wide a line may be.
LINES = 24
_WIDTH = 118
_EVIDENCE = 6


def told(explanation: Explanation) -> list[str]:
    """The lines: verdict, since when, evidence, remedy; then the links of the story, or one line for each of many."""
    head = _head(explanation)
    room = LINES - len(head)
    body = _links(explanation.stories[0]) if len(explanation.stories) == 1 else _stories(explanation, room=room)
    return [_fitting(line) for line in (*head, *body)]


def _head(explanation: Explanation) -> list[str]:
    story, link = explanation.story, explanation.verdict
    who = ", ".join(filter(None, (explanation.account_id, str(explanation.mode or ""))))
    lines = [f"{explanation.bot_id}{f' ({who})' if who else ''} at {moment(explanation.at)}"]
    where = f"{_named(story)}: " if len(explanation.stories) > 1 else ""
    lines.append(f"{link.state.upper()}  {where}{link.says}")
    if link.since is not None:
        lines.append(f"  since     {moment(link.since)} ({lasting(explanation.at - link.since)})")
    shown = [f"{name} {value}" for name, value in link.evidence.items() if value][:_EVIDENCE]
    lines += [f"  evidence  {line}" for line in _filled(shown)][:2]
    if link.remedy:
        lines.append(f"  do        {link.remedy}")
    return lines


def _links(story: Story) -> list[str]:
    name = _named(story)
    return [*([name] if name else []), *(_line(link) for link in story.links)]


def _line(link: Link) -> str:
    return f"  {link.state:<8} {link.name:<11} {link.says.removeprefix(f'{link.name}: ')}"


def _stories(explanation: Explanation, *, room: int) -> list[str]:
    """The links of the story that matters when they fit, then one line for each of the others."""
    story = explanation.story
    links = _links(story)
    others = [f"{_named(one)}: {one.verdict.state}: {one.verdict.says}" for one in explanation.stories if one != story]
    if len(links) + len(others) > room:
        kept = room - len(links) - 1
        others = [*others[: max(kept, 0)], f"and {len(others) - max(kept, 0)} more"]
    return [*links, *others]


def _named(story: Story) -> str:
    return f"{story.symbol} {story.rung}" if story.rung else story.symbol


def _filled(parts: Iterable[str]) -> list[str]:
    """Parts put together to lines."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) < _WIDTH - 14:
            lines[-1] = f"{lines[-1]}, {part}"
        else:
            lines.append(part)
    return lines


def _fitting(line: str) -> str:
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 3]}..."
