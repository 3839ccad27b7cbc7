"""Surprises: the pick can be checked later from its seed."""

from collections import Counter

import pytest

from app.cards.rules import pick
from tests.programs import a_rule, award, given, times

PICKS = {"do": "surprise", "picks": [{"weight": 7}, {"weight": 2, "n": 3}, {"weight": 1, "reward": "mug"}]}


@pytest.mark.parametrize(
    ("seed", "place", "index"),
    [("06", 0, 0), ("00ff", 1, 0), ("04", 5, 0), ("02", 7, 1), ("08", 8, 1), ("10", 9, 2)],
)
def test_pick_is_where_the_digest_falls_on_the_weights(seed: str, place: int, index: int) -> None:
    # `printf SEED:lucky | sha256sum`, as a number, modulo 10: up to 6 the first, 7 and 8 the second, 9 the third.
    assert pick(seed, "lucky", [7, 2, 1]) == index
    assert pick(seed, "lucky", [1] * 10) == place


def test_same_seed_picks_the_same_and_another_rule_picks_by_itself() -> None:
    seeds = [f"{n:032x}" for n in range(64)]
    first = [pick(seed, "a", [1, 1]) for seed in seeds]

    assert first == [pick(seed, "a", [1, 1]) for seed in seeds]
    assert first != [pick(seed, "b", [1, 1]) for seed in seeds]


def test_picks_follow_their_weights() -> None:
    counted = Counter(pick(f"{n:x}", "lucky", [7, 2, 1]) for n in range(10_000))

    # Five standard deviations of the binomial: 230, 200 and 150.
    assert abs(counted[0] - 7000) < 230
    assert abs(counted[1] - 2000) < 200
    assert abs(counted[2] - 1000) < 150


def test_surprise_gives_a_number_a_reward_or_a_reason_by_its_seed() -> None:
    rule = a_rule("lucky", PICKS, limit={"budget": 100})
    nothing, three, mug = (given(rule, seed=seed) for seed in ("06", "02", "10"))

    assert (nothing.amount, nothing.issues, nothing.reason, nothing.uses) == (0, (), "no_luck", {})
    assert (three.amount, three.issues, three.reason, three.uses) == (3, (), "", {"lucky": 3})
    assert (mug.amount, mug.issues, mug.reason, mug.uses) == (0, ("mug",), "", {"lucky": 0})


def test_surprise_is_not_multiplied() -> None:
    rules = (
        a_rule("base", award(2, base=True)),
        a_rule("lucky", PICKS),
        a_rule("double", times(20_000)),
    )

    assert given(*rules, seed="02").amount == 7


def test_surprise_without_a_seed_is_an_error_since_nobody_could_check_it() -> None:
    with pytest.raises(ValueError, match="seed"):
        given(a_rule("lucky", PICKS))
