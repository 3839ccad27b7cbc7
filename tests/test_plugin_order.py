"""The longest tests stand first in the workers' parts; none is lost or doubled."""

import pytest

from tests.plugin_order import LONGEST, spread

SMALL = [f"tests/core/test_money.py::test_{n}" for n in range(20)]
LONG = [f"{group[0]}::test_{n}" for group in LONGEST for n in range(3)]


@pytest.mark.parametrize("parts", [2, 3, 4, 8])
def test_each_part_begins_with_long_tests_and_none_is_lost(parts: int) -> None:
    names = [*SMALL, *LONG]

    order = spread(names, parts)

    assert sorted(order) == list(range(len(names)))
    begins = [names[order[len(names) * part // parts]] for part in range(min(parts, len(LONGEST)))]
    assert all(name in LONG for name in begins)
    assert begins[0] == f"{LONGEST[0][0]}::test_0"


def test_long_tests_that_fill_more_than_their_part_are_all_there() -> None:
    names = [*LONG, SMALL[0]]

    assert sorted(spread(names, 4)) == list(range(len(names)))
