"""Runs every benchmark and writes build/bench.json and a table: `make bench`, or `run.py NAME…` for some.

A benchmark is a module `tests/bench/bench_*.py` with a function `bench() -> list[Figure]`. It measures ours and its
peers in the same run, since a figure from another day or machine compares nothing. Nothing here is a test: a figure
in seconds depends on the machine, so a missed target is marked in the table and does not fail the run.
"""

import argparse
import importlib.util
import json
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
OUTPUT = HERE.parents[1] / "build" / "bench.json"
if str(HERE.parents[1]) not in sys.path:
    sys.path.insert(0, str(HERE.parents[1]))  # run as a script, only this folder is there


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Attributes:
        what: the work, the same text for ours and its peers.
        who: "leima", or the peer's name and version.
        value: the median of the repeats, in `unit`.
        unit: such as "passes/s", "ms" or "ratio".
        repeats: how many times it was measured.
        at_least: the target, where more is better.
        at_most: the target, where less is better.
    """

    what: str
    who: str
    value: float
    unit: str
    repeats: int
    at_least: float | None = None
    at_most: float | None = None

    @property
    def met(self) -> bool | None:
        """Say whether the target is reached; None when there is none."""
        if self.at_least is None and self.at_most is None:
            return None
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )

    @property
    def target(self) -> str:
        """Write the target for people, and whether it is reached."""
        bounds = ((">=", self.at_least), ("<=", self.at_most))
        told = " ".join(f"{sign} {bound:g}" for sign, bound in bounds if bound is not None)
        return f"{told} {'reached' if self.met else 'MISSED'}" if told else ""


Bench = Callable[[], Sequence[Figure]]


def find(folder: Path, names: Sequence[str] = ()) -> dict[str, Bench]:
    """Load the benchmarks of a folder by name.

    Raises:
        SystemExit: a name that no benchmark has.
    """
    paths = {path.stem.removeprefix("bench_"): path for path in sorted(folder.glob("bench_*.py"))}
    if unknown := set(names) - set(paths):
        raise SystemExit(f"no such benchmark: {', '.join(sorted(unknown))}; there are: {', '.join(paths) or 'none'}")
    return {name: _load(path) for name, path in paths.items() if not names or name in names}


def _load(path: Path) -> Bench:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    bench: Bench = module.bench
    return bench


def machine() -> dict[str, str | int | None]:
    """Describe what the figures were measured on."""
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "leima": version("leima"),
    }


def write(path: Path, results: dict[str, Sequence[Figure]]) -> None:
    """Write the figures and the machine as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    benches = {name: [asdict(figure) | {"met": figure.met} for figure in figures] for name, figures in results.items()}
    path.write_text(json.dumps({"machine": machine(), "benches": benches}, indent=2) + "\n", encoding="utf-8")


def table(results: dict[str, Sequence[Figure]]) -> Table:
    """Lay the figures out for people."""
    laid = Table("benchmark", "what", "who", "value", "unit", "target")
    for name, figures in results.items():
        for figure in figures:
            laid.add_row(name, figure.what, figure.who, f"{figure.value:,.2f}", figure.unit, figure.target)
    return laid


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmarks, one after another, and write what they measured."""
    parser = argparse.ArgumentParser(description="Measure Leima beside its peers.")
    parser.add_argument("names", nargs="*", help="only these benchmarks")
    console = Console()
    benches = find(HERE, parser.parse_args(arguments).names)
    if not benches:
        console.print("No benchmark is written yet (tests/bench/bench_*.py).")
    results: dict[str, Sequence[Figure]] = {}
    for name, bench in benches.items():
        console.print(f"{name} …")
        results[name] = bench()
        write(OUTPUT, results)
    write(OUTPUT, results)
    if results:
        console.print(table(results))
    console.print(f"Written to {OUTPUT.relative_to(HERE.parents[1])}")


if __name__ == "__main__":
    main()
