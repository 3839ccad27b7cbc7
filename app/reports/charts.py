"""Charts as plain geometry: a macro draws them as SVG for the console, and a PDF may draw the same.

Across, everything is a percentage of the plot's width, so that a chart fits a phone and a wide
screen without scaled text. Upwards, everything is in pixels of a plot of fixed height. Nothing here
knows a request, a database or a language: titles and labels come in, ready to be shown.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

PLOT_HEIGHT = 160  # pixels between the base line and the topmost grid line
MOST_LABELS = 5  # day labels under a chart; more would touch each other on a phone
_GAP = 0.28  # of a day's slot that stays empty between bars


@dataclass(frozen=True)
class Bar:
    """One bar: `x` and `width` in percent of the plot, `y` and `height` in pixels."""

    x: float
    y: float
    width: float
    height: float
    label: str
    value: int
    series: int


@dataclass(frozen=True)
class Mark:
    """A grid line: pixels from the top, and its figure."""

    at: float
    value: int


@dataclass(frozen=True)
class Level:
    """A line to compare with: pixels from the top, and its words."""

    at: float
    text: str


@dataclass(frozen=True)
class Label:
    """A day under the chart: its middle in percent from the left."""

    at: float
    text: str


@dataclass(frozen=True)
class DayChart:
    """Bars by day, with the table of the same figures."""

    title: str
    desc: str
    heading: str
    height: int
    bars: tuple[Bar, ...]
    grid: tuple[Mark, ...]
    labels: tuple[Label, ...]
    average: Level | None
    series: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True)
class OutletBar:
    """One outlet's row: `share` is the bar's length in percent of the longest, `more` further cells of the table."""

    name: str
    detail: str
    value: int
    share: float
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class OutletChart:
    """Outlets by a figure, the largest first; `columns` names the outlet, the figure and the further cells."""

    title: str
    desc: str
    columns: tuple[str, ...]
    rows: tuple[OutletBar, ...]


@dataclass(frozen=True)
class Figure:
    """A key figure of a period beside the period of the same length before it."""

    label: str
    value: int
    before: int | None = None  # none: there is nothing to compare with
    note: str = ""

    @property
    def direction(self) -> str:
        """Return `up`, `down`, `same`, or `none` where there is nothing to compare with."""
        if self.before is None:
            return "none"
        return "same" if self.value == self.before else "up" if self.value > self.before else "down"

    @property
    def percent(self) -> int | None:
        """Return the size of the change in whole percent; none where it was zero before."""
        if not self.before:
            return None
        return (200 * abs(self.value - self.before) + abs(self.before)) // (2 * abs(self.before))


def axis(most: int) -> tuple[int, int]:
    """Return the step (1, 2 or 5 times a power of ten) and the top of an axis of five steps or fewer for `most`."""
    power = 1
    while True:
        for step in (power, 2 * power, 5 * power):
            if step * 5 >= most:
                return step, max(-(-most // step), 1) * step
        power *= 10


def by_day(
    *,
    title: str,
    desc: str,
    days: Sequence[date],
    series: Sequence[tuple[str, Sequence[int]]],
    label: Callable[[date], str],
    heading: str,
    every: int = 1,
    average: tuple[float, str] | None = None,
) -> DayChart:
    """Draw one or more figures by day, side by side within the day.

    Args:
        series: name and figures, one for each day, none negative.
        label: how a day is written for the reader.
        heading: names the days' column of the table ("Day", "Week from").
        every: days summed into one bar, counted back from the newest; the oldest bar may hold fewer.
        average: a level to compare with (the period before) and its words.

    Raises:
        ValueError: a series is not as long as the days.
    """
    if any(len(values) != len(days) for _, values in series):
        raise ValueError("every series needs one figure for each day")
    cuts = [max(end - every, 0) for end in range(len(days), 0, -every)][::-1]
    texts = [label(days[cut]) for cut in cuts]
    sums = [[sum(values[cut:end]) for cut, end in pairwise([*cuts, len(days)])] for _, values in series]
    level = average[0] if average else 0.0
    step, top = axis(max([math.ceil(level), *(max(values, default=0) for values in sums)], default=0))
    slot = 100 / max(len(texts), 1)
    return DayChart(
        title=title,
        desc=desc,
        heading=heading,
        height=PLOT_HEIGHT,
        bars=tuple(_bars(texts, sums, slot=slot, top=top)),
        grid=tuple(Mark(_y(level, top), level) for level in range(0, top + 1, step)),
        labels=tuple(_labels(texts, slot=slot)),
        average=Level(_y(level, top), average[1]) if average else None,
        series=tuple(name for name, _ in series),
        rows=tuple(zip(texts, zip(*sums, strict=True), strict=True)),
    )


def by_outlet(
    *,
    title: str,
    desc: str,
    columns: Sequence[str],
    figures: Sequence[tuple[str, str, int, Sequence[str]]],
) -> OutletChart:
    """Rank outlets by a figure.

    Args:
        columns: headings of the outlet, the figure and each further cell.
        figures: for each outlet its name, a detail such as the reseller, the figure and the further cells.
    """
    ranked = sorted(figures, key=lambda row: (-row[2], row[0]))
    longest = max((row[2] for row in ranked), default=0)
    return OutletChart(
        title=title,
        desc=desc,
        columns=tuple(columns),
        rows=tuple(
            OutletBar(name, detail, value, _round(100 * value / longest) if longest else 0.0, tuple(more))
            for name, detail, value, more in ranked
        ),
    )


def _bars(texts: Sequence[str], sums: Sequence[Sequence[int]], *, slot: float, top: int) -> list[Bar]:
    width = slot * (1 - _GAP) / max(len(sums), 1)
    return [
        Bar(
            x=_round(place * slot + slot * _GAP / 2 + number * width),
            y=_y(value, top),
            width=_round(width),
            height=_round(PLOT_HEIGHT - _y(value, top)),
            label=text,
            value=value,
            series=number,
        )
        for place, text in enumerate(texts)
        for number, values in enumerate(sums)
        if (value := values[place]) > 0
    ]


def _labels(texts: Sequence[str], *, slot: float) -> list[Label]:
    """Name at most `MOST_LABELS` days, counted back from the newest, which is always named."""
    every = max(1, -(-len(texts) // MOST_LABELS))
    return [
        Label(_round(place * slot + slot / 2), text)
        for place, text in enumerate(texts)
        if (len(texts) - 1 - place) % every == 0
    ]


def _y(value: float, top: int) -> float:
    return _round(PLOT_HEIGHT * (1 - value / top))


def _round(number: float) -> float:
    return round(number, 2)
