"""Surprises: the pick can be checked later from its seed."""

import hashlib
from collections import Counter

import pytest

from app.cards.rules import pick
from tests.programs import a_rule, award, given

PICKS = {"do": "surprise", "picks": [{"weight": 7}, {"weight": 2, "n": 3}, {"weight": 1, "reward": "mug"}]}


def test_pick_is_the_place_of_the_digest_on_the_weights() -> None:
    # sha256sum of "00ff:lucky" ends in …; its number modulo 10 falls on 0-6, 7-8 or 9.
    number = int(hashlib.sha256(b"00ff:lucky").hexdigest(), 16) % 10

    assert pick("00ff", "lucky", [7, 2, 1]) == (0 if number < 7 else 1 if number < 9 else 2)


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
    found = {
        pick(seed, "lucky", [7, 2, 1]): given(rule, seed=seed) for seed in (f"{n:x}" for n in range(100))
    }  # one seed of each pick

    nothing, three, mug = found[0], found[1], found[2]
    assert (nothing.amount, nothing.issues, nothing.reason, nothing.uses) == (0, (), "no_luck", {})
    assert (three.amount, three.issues, three.reason, three.uses) == (3, (), "", {"lucky": 3})
    assert (mug.amount, mug.issues, mug.reason, mug.uses) == (0, ("mug",), "", {"lucky": 0})


def test_surprise_is_not_multiplied() -> None:
    seed = next(f"{n:x}" for n in range(100) if pick(f"{n:x}", "lucky", [7, 2, 1]) == 1)
    rules = (
        a_rule("base", award(2, base=True)),
        a_rule("lucky", PICKS),
        a_rule("x", {"do": "multiply", "times_bp": 20_000}),
    )

    assert given(*rules, seed=seed).amount == 7


def test_surprise_without_a_seed_is_an_error_since_nobody_could_check_it() -> None:
    with pytest.raises(ValueError, match="seed"):
        given(a_rule("lucky", PICKS))
