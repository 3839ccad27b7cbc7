"""A plan as a text that people write: JSON in lines, and each fault with the line that it is on. Pure."""

import json
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from app.cards import rules
from app.cards.rules import Plan

LONGEST = 40_000  # characters


@dataclass(frozen=True)
class PlanFault:
    """What is wrong where: the line of the text from 1, what stands on it, the place in words, and why."""

    line: int
    shown: str
    place: str
    why: str


class PlanFaults(ValueError):
    """A text that is no plan; `text` is written anew where that is possible, and the lines are those of it."""

    def __init__(self, text: str, faults: list[PlanFault]) -> None:
        super().__init__("; ".join(fault.why for fault in faults))
        self.text = text
        self.faults = faults


def written(data: Any) -> str:
    """Return JSON as people read it, a key on each line."""
    return json.dumps(data, ensure_ascii=False, indent=2)


def read(kind: str, text: str) -> Plan:
    """Return the plan that a text says.

    Raises:
        PlanFaults: everything that is wrong, each with its line.
    """
    try:
        data = json.loads(text[:LONGEST])
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        lines = text.splitlines() or [""]
        shown = lines[min(line, len(lines)) - 1]
        raise PlanFaults(text, [PlanFault(line, shown, "", getattr(error, "msg", str(error)))]) from None
    except RecursionError:
        raise PlanFaults(text, [PlanFault(1, "", "", "nested too deeply")]) from None
    try:
        return rules.parse(kind, data)
    except ValidationError as error:
        raise PlanFaults(written(data), _faults(data, error)) from None


def _faults(data: Any, error: ValidationError) -> list[PlanFault]:
    lines, shown = _lines(data), written(data).splitlines()
    found = []
    paths = [_path(data, one["loc"][1:] if one["loc"][:1] == ("plan",) else one["loc"]) for one in error.errors()]
    for fault, path in zip(error.errors(), paths, strict=True):
        # A list whose only part is wrong is told to be too short as well: the part says enough.
        if fault["type"] == "too_short" and any(other != path and other[: len(path)] == path for other in paths):
            continue
        line = lines[path]
        why = fault["msg"].removeprefix("Value error, ")
        name = str(fault["loc"][-1]) if fault["type"] == "missing" else ""
        told = f"{name}: {why}" if name else why
        found.append(PlanFault(line, shown[line - 1].strip(), " › ".join(_place(path)), told))
    return sorted(found, key=lambda fault: fault.line)


def _path(data: Any, loc: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the longest part of a place that leads into the data; names of unions' members are no part of it."""
    path: tuple[Any, ...] = ()
    for part in loc:
        if (isinstance(data, dict) and part in data) or (isinstance(data, list) and isinstance(part, int)):
            if isinstance(data, list) and part >= len(data):
                continue
            data, path = data[part], (*path, part)
    return path


def _place(path: tuple[Any, ...]) -> list[str]:
    return [str(part + 1) if isinstance(part, int) else str(part) for part in path]


def _lines(data: Any) -> dict[tuple[Any, ...], int]:
    """Return the line of each part of the data in `written`."""
    found: dict[tuple[Any, ...], int] = {}

    def walk(value: Any, path: tuple[Any, ...], line: int) -> int:
        found[path] = line
        parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        inner = line + 1
        for key, part in parts:
            inner = walk(part, (*path, key), inner)
        return inner + 1 if value and isinstance(value, dict | list) else inner

    walk(data, (), 1)
    return found
