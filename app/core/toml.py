"""TOML files that people write: what they say, and on which line they say it, since tomllib keeps no positions."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

Place = tuple[str | int, ...]  # a key path: ("outlets", 0, "name")

_SYNTAX_LINE = re.compile(r"(.*) \(at line (\d+), column (\d+)\)$", re.DOTALL)
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r]+|\#[^\n]*)
    |(?P<newline>\n)
    |(?P<text>\"\"\"(?:\\.|[^\\])*?\"{3,5}|'''.*?'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*')
    |(?P<mark>[][{}=,.])
    |(?P<word>[^][{}=,.\s\#"']+)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, order=True)
class Fault:
    """One mistake in a file; `line` counts from 1."""

    line: int
    message: str


class FaultList(Exception):
    """Everything that is wrong with a file, in the order of its lines."""

    def __init__(self, name: str, faults: list[Fault]) -> None:
        self.name = name
        self.faults = sorted(set(faults))
        super().__init__("\n".join(f"{name}:{fault.line}: {fault.message}" for fault in self.faults))


@dataclass(frozen=True)
class Document:
    """A parsed file with the line of each key path."""

    name: str
    data: dict[str, Any]
    lines: dict[Place, int] = field(repr=False)
    path: Path | None = None  # where the file lies; other files are named relative to it

    def line(self, place: Place) -> int:
        """Return the line of a key path, or of the nearest thing around it that stands in the file."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def read(path: Path) -> Document:
    """Read a TOML file.

    Raises:
        FaultList: it cannot be read or is not TOML; names the line.
    """
    try:
        return replace(parse(path.read_text("utf-8"), name=str(path)), path=path)
    except OSError as error:
        raise FaultList(str(path), [Fault(1, f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise FaultList(str(path), [Fault(1, "is not UTF-8 text")]) from None


def parse(text: str, *, name: str) -> Document:
    """Parse TOML text; `name` stands before the line in faults.

    Raises:
        FaultList: it is not TOML.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = _SYNTAX_LINE.match(str(error))
        line = int(match[2]) if match else text.count("\n") + 1
        raise FaultList(name, [Fault(line, f"not TOML: {match[1] if match else error}")]) from None
    return Document(name, data, _Scanner(text.replace("\r\n", "\n")).lines())


class _Scanner:
    """Walks a file that tomllib accepted and notes the line of each key path; it checks nothing again."""

    def __init__(self, text: str) -> None:
        self._tokens = list(self._split(text))
        self._at = 0
        self._found: dict[Place, int] = {}
        self._counts: dict[Place, int] = {}  # arrays of tables seen so far

    @staticmethod
    def _split(text: str) -> Iterator[tuple[str, str, int]]:
        line = 1
        for match in _TOKEN.finditer(text):
            kind, value = str(match.lastgroup), match[0]
            if kind != "space":
                yield kind, value, line
            line += value.count("\n")
        yield "end", "", line

    def lines(self) -> dict[Place, int]:
        """Return key path → line."""
        table: Place = ()
        while self._kind() != "end":
            if self._kind() == "newline":
                self._at += 1
            elif self._value() == "[":
                table = self._header()
            else:
                self._pair(table)
        return self._found

    def _kind(self) -> str:
        return self._tokens[self._at][0]

    def _value(self) -> str:
        return self._tokens[self._at][1]

    def _line(self) -> int:
        return self._tokens[self._at][2]

    def _header(self) -> Place:
        line = self._line()
        many = self._tokens[self._at + 1][1] == "["
        self._at += 2 if many else 1
        keys = self._keys()
        self._at += 2 if many else 1
        place: Place = ()
        for number, key in enumerate(keys):
            place = (*place, key)
            if many and number == len(keys) - 1:
                self._counts[place] = self._counts.get(place, -1) + 1
                self._note(place, line)
            if place in self._counts:
                place = (*place, self._counts[place])
            self._note(place, line)
        return place

    def _keys(self) -> list[str]:
        """Read a key, dotted or not, and stop behind it. A bare `3.14` as a key is two keys, as TOML says."""
        keys: list[str] = []
        while self._kind() in ("word", "text") or self._value() == ".":
            if self._kind() == "text":
                keys.append(next(iter(tomllib.loads(f"{self._value()} = 0"))))
            elif self._kind() == "word":
                keys.append(self._value())
            self._at += 1
        return keys

    def _pair(self, table: Place) -> None:
        line, place = self._line(), table
        for key in self._keys():
            place = (*place, key)
            self._note(place, line)
        self._at += 1  # the equals sign
        self._read_value(place)

    def _read_value(self, place: Place) -> None:
        if self._value() == "[" and self._kind() == "mark":
            self._inside("]", place, counted=True)
        elif self._value() == "{" and self._kind() == "mark":
            self._inside("}", place, counted=False)
        else:  # a number may be several tokens: 1.5, 2026-11-22 08:00
            while self._kind() in ("word", "text") or self._value() == ".":
                self._at += 1

    def _inside(self, closing: str, place: Place, *, counted: bool) -> None:
        self._at += 1
        number = 0
        while not (self._kind() == "mark" and self._value() == closing):
            if self._kind() == "newline" or (self._kind() == "mark" and self._value() == ","):
                self._at += 1
            elif counted:
                self._note((*place, number), self._line())
                self._read_value((*place, number))
                number += 1
            else:
                self._pair(place)
        self._at += 1

    def _note(self, place: Place, line: int) -> None:
        self._found.setdefault(place, line)
