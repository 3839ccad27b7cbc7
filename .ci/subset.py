"""Prints the part of requirements.lock that running Leima needs: `subset.py requirements.lock pyproject.toml`.

The lock pins everything for running and testing at once; whoever only runs Leima need not wait for the test tools.
It follows the "# via" notes, so it may name a package too many (one that a test tool asks for too), never one too few.
"""

import re
import sys
import tomllib
from pathlib import Path

_NAME = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)")


def normal(requirement: str) -> str:
    """Return the normalized name that a requirement starts with."""
    match = _NAME.match(requirement.strip())
    if match is None:
        raise SystemExit(f"not a requirement: {requirement!r}")
    return re.sub(r"[-_.]+", "-", match[1]).lower()


def blocks(lock: str) -> dict[str, tuple[str, set[str]]]:
    """Split a lock into packages: the lines of each, and the names of those that asked for it."""
    found: dict[str, tuple[str, set[str]]] = {}
    for block in re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"(?m)^#.*\n", "", lock).strip()):
        pinned = [line for line in block.splitlines() if line and not line.startswith("    #")]
        notes = re.findall(r"(?m)^    #(?: via)?\s+([A-Za-z0-9][A-Za-z0-9._-]*)", block)
        found[normal(block)] = ("\n".join(pinned), {normal(note) for note in notes})
    return found


def needed(packages: dict[str, tuple[str, set[str]]], roots: set[str]) -> list[str]:
    """Return the names of the roots and of all that they ask for, in the order of the lock."""
    kept = set(roots)
    while new := {name for name, (_, askers) in packages.items() if askers & kept} - kept:
        kept |= new
    if missing := kept - set(packages):
        raise SystemExit(f"not in the lock (make lock): {', '.join(sorted(missing))}")
    return [name for name in packages if name in kept]


def main(lock: str, project: str) -> None:
    """Print the pins, with their hashes, of what the project depends on without extras."""
    told = tomllib.loads(Path(project).read_text(encoding="utf-8"))
    roots = {normal(name) for name in (*told["project"]["dependencies"], *told["build-system"]["requires"])}
    packages = blocks(Path(lock).read_text(encoding="utf-8"))
    print("\n".join(packages[name][0] for name in needed(packages, roots)))


if __name__ == "__main__":
    main(*sys.argv[1:])
