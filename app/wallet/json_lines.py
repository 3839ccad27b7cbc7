"""JSON that people write: what it says, and on which line, since the json module keeps no positions. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]  # ("storeCard", "backFields", 0, "key")

DEPTH = 12  # of objects and lists within each other; a pass needs seven
NODES = 5000  # values and keys; a pass has a few hundred
# A string that does not end runs to the end of its line: looking for its end once more from each quote would be slow.
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"?|[][{},:]|[^][{},:\s"]+')


class JsonError(ValueError):
    """The text is no JSON, or more of it than a template needs; `line` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Lined:
    """A parsed object with the line of each key and list item."""

    data: dict[str, Any]
    lines: Mapping[Path, int]


def parse(text: str) -> Lined:
    """Parse an object.

    Raises:
        JsonError: no JSON, no object, a key used twice in one object, too deep or too much of it.
    """
    lines = _lines(text)  # first: it sees depth and size without recursion
    try:
        data = json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise JsonError(error.msg, error.lineno) from None
    except ValueError as error:  # NaN, or a number of thousands of digits
        raise JsonError(str(error), 1) from None
    if not isinstance(data, dict):
        raise JsonError("must be an object", 1)
    return Lined(data, lines)


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _lines(text: str) -> dict[Path, int]:
    """Return path → line of well-formed JSON, and something harmless for anything else: the json module judges it."""
    found: dict[Path, int] = {}
    path: list[str | int] = []  # the place of each open object and list: a key, or a number that is counted up
    opened: list[str] = []
    line, at, expects_key = 1, 0, False
    for match in _TOKEN.finditer(text):
        line += text.count("\n", at, match.start())
        at, sign = match.start(), match[0]
        inside = opened[-1] if opened else ""
        if inside == "{" and expects_key and sign[0] == '"':
            path[-1] = _unquoted(sign)
            if tuple(path) in found:
                raise JsonError(f'the key "{path[-1]}" is used twice', line)
            expects_key = False
            found[tuple(path)] = line
        elif inside == "[" and sign not in "],":
            found[tuple(path)] = line
        if sign in "{[":
            opened.append(sign)
            path.append("" if sign == "{" else 0)
            expects_key = sign == "{"
        elif sign in "}]" and opened:
            opened.pop()
            path.pop()
        elif sign == "," and opened:
            expects_key = opened[-1] == "{"
            if isinstance(path[-1], int):
                path[-1] += 1
        if len(opened) > DEPTH or len(found) > NODES:
            raise JsonError("is more than a template needs", line)
    return found


def _unquoted(sign: str) -> str:
    try:
        return str(json.loads(sign))
    except ValueError:
        return sign
