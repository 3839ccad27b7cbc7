"""The frame of the benchmarks: it finds them, writes figures and never calls a missed target reached."""

import json
from pathlib import Path

import pytest

from tests.bench import run


def figure(**targets: float) -> run.Figure:
    return run.Figure("sign a pass", "leima", 100.0, "passes/s", repeats=5, **targets)


@pytest.mark.parametrize(
    ("targets", "met", "told"),
    [
        ({}, None, ""),
        ({"at_least": 100.0}, True, ">= 100 reached"),
        ({"at_least": 100.1}, False, ">= 100.1 MISSED"),
        ({"at_most": 100.0}, True, "<= 100 reached"),
        ({"at_most": 0.0}, False, "<= 0 MISSED"),
    ],
)
def test_a_figure_says_whether_its_target_is_reached(targets: dict[str, float], met: bool | None, told: str) -> None:
    assert (figure(**targets).met, figure(**targets).target) == (met, told)


def test_benchmarks_are_found_by_name(tmp_path: Path) -> None:
    (tmp_path / "bench_passes.py").write_text("def bench():\n    return [1]\n")
    (tmp_path / "bench_push.py").write_text("def bench():\n    return [2]\n")
    (tmp_path / "other.py").write_text("raise RuntimeError\n")
    assert list(run.find(tmp_path)) == ["passes", "push"]
    assert run.find(tmp_path, ["push"])["push"]() == [2]
    with pytest.raises(SystemExit, match=r"no such benchmark: mail; there are: passes, push"):
        run.find(tmp_path, ["mail"])


def test_the_figures_are_written_with_the_machine(tmp_path: Path) -> None:
    run.write(tmp_path / "build" / "bench.json", {"passes": [figure(at_least=200)]})
    told = json.loads((tmp_path / "build" / "bench.json").read_text())
    assert told["machine"]["cores"] >= 1
    assert told["benches"]["passes"][0]["value"] == 100.0
    assert told["benches"]["passes"][0]["met"] is False
