"""A purchase's database work beside the bare driver, which says the same statements with the same values.

Purchases are recorded on one copy of a database; then ours books such purchases on a second copy while the driver
repeats the recorded ones on a third, in turns. What is compared is the processor time of this process: that of
PostgreSQL is not in it; SQLite's is, on both sides.
"""

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench import stamp_postgres, stamp_sqlite
from tests.bench.pairs import Cost, Pair, cost
from tests.bench.run import Figure

ROUNDS = 7
SALES = 480  # of a round, of all threads together
WARM_UP = 80  # sales before the first round: statements are compiled, pages are read
ALL = WARM_UP + ROUNDS * SALES


def bench() -> list[Figure]:
    """Measure both databases."""
    found = []
    with tempfile.TemporaryDirectory() as name:
        with stamp_sqlite.pairs(Path(name), threads=(1, 4), sales=ALL) as pairs:
            for pair in pairs:
                found += _figures(pair, at_most=7)
        with stamp_postgres.pair(Path(name), lanes=8, sales=ALL) as pair:
            found += _figures(pair, at_most=3)
    return found


def _figures(pair: Pair, *, at_most: float) -> Iterator[Figure]:
    costs = list(_rounds(pair))
    what = f"a purchase's database work, {pair.what}"
    for who, side in (("leima", 0), (pair.peer, 1)):
        yield Figure(what, who, statistics.median(SALES / both[side].wall for both in costs), "purchases/s", ROUNDS)
    for who, side in (("leima", 0), (pair.peer, 1)):
        cpu = statistics.median(both[side].cpu / SALES for both in costs)
        yield Figure(f"{what}: processor time", who, cpu * 1e6, "µs", ROUNDS)
    ratio = statistics.median(ours.cpu / driver.cpu for ours, driver in costs)
    yield Figure(f"{what}: processor time", f"leima / {pair.peer}", ratio, "ratio", ROUNDS, at_most=at_most)
    yield Figure(f"{what}: statements", "leima", statistics.mean(map(len, pair.recorded)), "statements", ALL)


def _rounds(pair: Pair) -> Iterator[tuple[Cost, Cost]]:
    """Let both do the same part in turns; what else the machine does meets neighbors in time alike."""
    warm = slice(0, WARM_UP)
    cost(pair.ours(warm))
    cost(pair.driver(warm))
    for start in range(WARM_UP, ALL, SALES):
        part = slice(start, start + SALES)
        yield cost(pair.ours(part)), cost(pair.driver(part))
