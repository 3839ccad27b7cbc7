"""A seed that is given back runs alone, and what a gate prints says how."""

import pytest

from tests import seeds


def test_seed_that_is_given_back_runs_alone() -> None:
    assert (seeds.seeds(3, given="41"), seeds.drawn(given="41")) == ([41], 41)
    assert seeds.seeds(3, given=None) == [0, 1, 2]
    assert len({seeds.drawn(given=None) for _draw in range(20)}) > 1


def test_gate_says_how_its_seed_is_given_back(capsys: pytest.CaptureFixture[str]) -> None:
    assert seeds.say(41) == 41
    assert "LEIMA_TEST_SEED=41" in capsys.readouterr().out
