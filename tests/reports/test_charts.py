"""Charts: the geometry says what the figures say, at any width."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reports.charts import (
    MOST_LABELS,
    PLOT_HEIGHT,
    DayChart,
    Figure,
    axis,
    by_day,
    by_outlet,
)


def _chart(*series: list[int], every: int = 1, average: tuple[float, str] | None = None) -> DayChart:
    first = date(2026, 9, 1)
    return by_day(
        title="Stamps by day",
        desc="Stamps given at all outlets.",
        days=[first + timedelta(days=day) for day in range(len(series[0]))],
        series=[(f"figure {number}", values) for number, values in enumerate(series)],
        label=date.isoformat,
        heading="Day",
        every=every,
        average=average,
    )


def test_bar_of_twice_the_figure_is_twice_as_high() -> None:
    small, large = _chart([5, 10]).bars

    assert (small.height, large.height) == (PLOT_HEIGHT / 2, PLOT_HEIGHT)
    assert all(bar.y + bar.height == PLOT_HEIGHT for bar in (small, large))


def test_day_without_sales_has_a_row_in_the_table_and_no_bar() -> None:
    chart = _chart([3, 0, 5])

    assert [bar.label for bar in chart.bars] == ["2026-09-01", "2026-09-03"]
    assert chart.rows[1] == ("2026-09-02", (0,))


def test_two_figures_of_a_day_stand_side_by_side_within_the_day() -> None:
    issued, redeemed = _chart([6], [2]).bars

    assert issued.x + issued.width == pytest.approx(redeemed.x, abs=0.02)
    assert redeemed.x + redeemed.width <= 100
    assert (issued.series, redeemed.series) == (0, 1)


def test_series_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="one figure for each day"):
        _chart([1, 2], [1])


def test_period_without_a_single_event_still_has_an_axis() -> None:
    chart = _chart([0, 0, 0])

    assert chart.bars == ()
    assert [mark.value for mark in chart.grid] == [0, 1]


def test_average_above_every_bar_stays_inside_the_plot() -> None:
    chart = _chart([1, 2], average=(9.5, "before"))

    assert chart.average is not None
    assert 0 <= chart.average.at < PLOT_HEIGHT


@given(st.integers(min_value=0, max_value=10**9))
def test_axis_holds_the_figure_in_whole_steps_without_wasting_the_plot(most: int) -> None:
    step, top = axis(most)

    assert top >= most
    assert top % step == 0
    assert top // step <= 5
    assert top - most < step or most == 0


def test_axis_steps_are_round() -> None:
    assert [axis(most) for most in (0, 4, 6, 90, 101, 5000)] == [
        (1, 1),
        (1, 4),
        (2, 6),
        (20, 100),
        (50, 150),
        (1000, 5000),
    ]


def test_weeks_are_summed_from_the_newest_day_back() -> None:
    chart = _chart([1] * 9, [2] * 9, every=7)

    assert chart.rows == (("2026-09-01", (2, 4)), ("2026-09-03", (7, 14)))


@given(st.lists(st.integers(min_value=0, max_value=5000), min_size=1, max_size=120))
def test_no_chart_leaves_its_plot_or_crowds_its_labels(values: list[int]) -> None:
    chart = _chart(values)

    assert all(bar.x >= 0 and bar.x + bar.width <= 100.01 for bar in chart.bars)
    assert all(0 <= bar.y <= PLOT_HEIGHT for bar in chart.bars)
    assert 1 <= len(chart.labels) <= MOST_LABELS
    assert chart.labels[-1].text == chart.rows[-1][0]
    assert sum(figures[0] for _, figures in chart.rows) == sum(values)


def test_outlets_are_ranked_and_the_first_has_the_full_bar() -> None:
    chart = by_outlet(
        title="Outlets",
        desc="Stamps by outlet.",
        columns=("Outlet", "Stamps", "Sales"),
        figures=[("Töölö", "", 50, ("9",)), ("Kallio", "", 200, ("4",)), ("Verkko", "", 0, ("0",))],
    )

    assert [(row.name, row.share) for row in chart.rows] == [
        ("Kallio", 100.0),
        ("Töölö", 25.0),
        ("Verkko", 0.0),
    ]
    assert chart.rows[0].more == ("4",)


def test_outlets_without_any_sale_have_no_bar_and_do_not_divide_by_zero() -> None:
    chart = by_outlet(title="Outlets", desc="", columns=("Outlet", "Stamps"), figures=[("Kallio", "", 0, ())])

    assert chart.rows[0].share == 0.0


@pytest.mark.parametrize(
    ("value", "before", "direction", "percent"),
    [
        (112, 100, "up", 12),
        (75, 100, "down", 25),
        (3, 3, "same", 0),
        (4, 0, "up", None),
        (4, None, "none", None),
        (1, 3, "down", 67),
    ],
)
def test_change_is_told_by_direction_and_whole_percent(
    value: int, before: int | None, direction: str, percent: int | None
) -> None:
    figure = Figure("Stamps", value, before)

    assert (figure.direction, figure.percent) == (direction, percent)
