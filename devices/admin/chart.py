"""A line of one series as plain SVG: numbers in, coordinates out. What draws them is a template."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

WIDTH, HEIGHT = 720, 220
LEFT, RIGHT, TOP, BOTTOM = 64, 8, 18, 28
TICKS = 4


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across the chart with its label; `at` in the chart's units."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What the template draws."""

    line: str  # SVG points
    dots: list[tuple[float, float]]  # of few points, which make no line to speak of
    rows: list[Tick]
    columns: list[Tick]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM


def draw(points: Sequence[tuple[int, float]], start: int, end: int) -> Chart:
    """A chart of (ts in ms, value) in the order of time, between two times (ms). What is no finite number is left out."""
    kept = [(ts, value) for ts, value in points if math.isfinite(value)]
    values = [value for _, value in kept] or [0.0]
    low, high = min(values), max(values)
    if low == high:
        margin = abs(low) / 10 or 1.0
        low, high = low - margin, high + margin

    def x(ts: float) -> float:
        return round(LEFT + (ts - start) / max(end - start, 1) * (WIDTH - LEFT - RIGHT), 1)

    def y(value: float) -> float:
        # Halves, because the difference of two doubles may be more than a double holds.
        share = (value / 2 - low / 2) / (high / 2 - low / 2)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)

    spots = [(x(ts), y(value)) for ts, value in kept]
    levels = [low + (high / TICKS - low / TICKS) * step for step in range(TICKS + 1)]
    times = [start + (end - start) * step / TICKS for step in range(TICKS + 1)]
    form = "%H:%M" if end - start <= 86_400_000 else "%m-%d %H:%M"
    return Chart(
        line=" ".join(f"{a},{b}" for a, b in spots),
        dots=spots if len(spots) <= 60 else [],
        rows=[Tick(y(level), f"{level:.4g}") for level in levels],
        columns=[Tick(x(ts), datetime.fromtimestamp(ts / 1000, UTC).strftime(form)) for ts in times],
    )
