"""Charts as inline SVG: lines, areas and markers on a time axis. Colours come from the page's CSS variables."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from surefill.domain.times import from_milliseconds

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 1100, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 78, 14, 12, 26
# More points than this can't be told apart at this width.
_POINTS = 1_400
_MARKERS = 1_500
# Up to so many markers, half their width.
_SIZES = ((120, 4.0), (400, 2.6), (_MARKERS, 1.5))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Values over time (ms since 1970), drawn in a colour named by a CSS class; `area` fills it down to 0."""

    name: str
    times_ms: Any
    values: Any
    css: str
    area: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """A point with a text that is shown when it is pointed at."""

    time_ms: int
    value: float
    css: str
    up: bool
    text: str


def chart(lines: Sequence[Line], *, markers: Sequence[Marker] = (), title: str, unit: str = "") -> str:
    """One chart as SVG text."""
    times = np.concatenate([line.times_ms for line in lines])
    values = np.concatenate([line.values for line in lines])
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    if any(line.area for line in lines):
        low, high = min(low, 0.0), max(high, 0.0)
    pad = (high - low) * 0.05 or abs(high) * 0.05 or 1.0
    frame = _Frame(first=int(times.min()), last=int(times.max()), low=low - pad, high=high + pad)
    parts = [
        f'<figure><figcaption>{escape(title)}</figcaption><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(title)}">',
        frame.grid(unit),
        *(_drawn(line, frame) for line in lines),
        *_marks(_thinned(markers), frame),
        "</svg>",
        _legend(lines) if len(lines) > 1 else "",
        "</figure>",
    ]
    return "".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    first: int
    last: int
    low: float
    high: float

    def x(self, time_ms: Any) -> Any:
        span = max(self.last - self.first, 1)
        return _LEFT + (time_ms - self.first) / span * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: Any) -> Any:
        return HEIGHT - _BOTTOM - (value - self.low) / (self.high - self.low) * (HEIGHT - _TOP - _BOTTOM)

    def grid(self, unit: str) -> str:
        parts = []
        for value in _ticks(self.low, self.high):
            y = self.y(value)
            parts.append(
                f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
                f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_short(value)}{unit}</text>'
            )
        span_days = (self.last - self.first) / 86_400_000
        pattern = "%H:%M" if span_days < 2 else "%d %b" if span_days < 300 else "%b %Y"
        for part in range(7):
            at = self.first + (self.last - self.first) * part // 6
            anchor = "start" if part == 0 else "end" if part == 6 else "middle"
            parts.append(
                f'<text x="{self.x(at):.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}">'
                f"{from_milliseconds(at):{pattern}}</text>"
            )
        return "".join(parts)


def _drawn(line: Line, frame: _Frame) -> str:
    times, values = _thin(line.times_ms, line.values)
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(frame.x(times), frame.y(values), strict=True))
    drawn = f'<polyline class="{line.css}" points="{points}"/>'
    if not line.area:
        return drawn
    zero, first, last = frame.y(0.0), frame.x(times[0]), frame.x(times[-1])
    below = f"{first:.1f},{zero:.1f} {points} {last:.1f},{zero:.1f}"
    return f'<polygon class="{line.css} area" points="{below}"/>{drawn}'


def _thin(times: Any, values: Any) -> tuple[Any, Any]:
    """At most so many points that all can be seen: of each bucket its lowest and its highest, in their order."""
    if len(times) <= _POINTS:
        return times, values
    edges = np.linspace(0, len(times), _POINTS // 2 + 1).astype(int)
    kept: set[int] = {0, len(times) - 1}
    for first, last in pairwise(edges):
        kept.update((first + int(values[first:last].argmin()), first + int(values[first:last].argmax())))
    places = np.array(sorted(kept))
    return times[places], values[places]


def _marks(markers: Sequence[Marker], frame: _Frame) -> list[str]:
    """Triangles beside the line; the more there are, the smaller, so that the line can still be seen."""
    half = next(size for most, size in _SIZES if len(markers) <= most)
    return [_mark(marker, frame, half=half) for marker in markers]


def _mark(marker: Marker, frame: _Frame, *, half: float) -> str:
    x, y = float(frame.x(marker.time_ms)), float(frame.y(marker.value))
    away = 1 if marker.up else -1
    tip, base = y + away * 0.75 * half, y + away * 2.75 * half
    corners = f"{x:.1f},{tip:.1f} {x - half:.1f},{base:.1f} {x + half:.1f},{base:.1f}"
    return f'<polygon class="{marker.css}" points="{corners}"><title>{escape(marker.text)}</title></polygon>'


def _thinned(markers: Sequence[Marker]) -> Sequence[Marker]:
    step = -(-len(markers) // _MARKERS)
    return markers[:: step or 1]


def _legend(lines: Sequence[Line]) -> str:
    entries = "".join(f'<span><i class="{line.css}"></i>{escape(line.name)}</span>' for line in lines)
    return f'<p class="legend">{entries}</p>'


def _ticks(low: float, high: float) -> list[float]:
    rough = (high - low) / 5
    power = 10 ** np.floor(np.log10(rough))
    step = float(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough))
    first = np.ceil(low / step) * step
    return [float(first + number * step) for number in range(int((high - first) / step) + 1)]


def _short(value: float) -> str:
    if abs(value) < 1e-12:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"
