"""The seeds of gates that chance drives. `LEIMA_TEST_SEED=N` gives one back: then each of these gates runs it alone."""

import os
import random

GIVEN = os.environ.get("LEIMA_TEST_SEED")
MOST = 1_000_000


def seeds(count: int, *, given: str | None = GIVEN) -> list[int]:
    """Return the seeds of a gate that runs several: the first ones, or the one that was given back."""
    return [int(given)] if given else list(range(count))


def drawn(*, given: str | None = GIVEN) -> int:
    """Return the seed of a gate that runs one: a new one each time, or the one that was given back."""
    return int(given) if given else random.randrange(MOST)


def say(seed: int) -> int:
    """Tell how a run is repeated, where pytest shows what a test has printed; return its seed."""
    print(f"seed {seed}: LEIMA_TEST_SEED={seed} runs it again, and nothing else")
    return seed
