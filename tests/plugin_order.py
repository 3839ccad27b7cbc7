"""Begins with the tests that take longest, so that a run ends with many small ones, which share out evenly.

xdist gives each worker an equal part of the list, and a worker that is done takes from the ends of the others' parts.
What stands first in a part therefore stays together: one service for all tests of the browser, one world of two
brands for the contract and the walls.
"""

import pytest

LONGEST: tuple[tuple[str, ...], ...] = (
    ("tests/browser/",),
    ("tests/test_kill.py", "tests/wallet/test_lives.py", "tests/fakes/test_demo.py", "tests/test_durability.py"),
    ("tests/doors/test_api_contract.py", "tests/cards/test_life.py", "tests/test_walls.py", "tests/test_cross_site.py"),
)


def spread(names: list[str], parts: int) -> list[int]:
    """Return the places of tests in their new order: each part begins with one group of the longest, or with some."""
    group_of = [next((g for g, group in enumerate(LONGEST) if name.startswith(group)), None) for name in names]
    heads: list[list[int]] = [[] for _part in range(parts)]
    for number in range(len(LONGEST)):
        heads[number % parts] += [place for place, group in enumerate(group_of) if group == number]
    rest = [place for place, group in enumerate(group_of) if group is None]
    order: list[int] = []
    for part, head in enumerate(heads):
        until = len(names) * (part + 1) // parts
        filling = max(until - len(order) - len(head), 0)
        order += head + rest[:filling]
        del rest[:filling]
    return order + rest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the tests into the order of `spread`; all workers agree, as they were shuffled by one seed."""
    parts = getattr(config, "workerinput", {}).get("workercount", 1)
    if parts > 1:
        items[:] = [items[place] for place in spread([item.nodeid for item in items], parts)]
