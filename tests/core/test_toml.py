"""The line of every key path, checked against tomllib's own reading of what people may write."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import toml
from app.core.toml import Fault, FaultList, Place, parse

FILE = '''# a comment with [brackets] and "quotes"
[brand]
slug = "meri"  # x = [
colors.ink = "#fff"
text = """
[not.a.table]
key = 1 ""\\""""
[[outlets]]
slug = 'a'
place = [
  60.5,  # north
  { x = 1, "y z" = "}" },
]
at = 2026-11-22 08:00:00
[outlets.address]
street = "a\\"b = ["
[[outlets]]
tags = [["a", 'b'], []]
[[outlets.hours]]
day = 1
[[outlets.hours]]
day = 2
[a."b.c"]
d = { e = { f = 1 } }
'''


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("brand",), 2),
        (("brand", "slug"), 3),
        (("brand", "colors", "ink"), 4),
        (("brand", "text"), 5),
        (("outlets", 0), 8),
        (("outlets", 0, "place", 0), 11),
        (("outlets", 0, "place", 1, "y z"), 12),
        (("outlets", 0, "at"), 14),
        (("outlets", 0, "address", "street"), 16),
        (("outlets", 1), 17),
        (("outlets", 1, "tags", 0, 1), 18),
        (("outlets", 1, "hours", 1, "day"), 22),
        (("a", "b.c", "d", "e", "f"), 24),
    ],
)
def test_each_key_path_has_its_line(place: Place, line: int) -> None:
    assert parse(FILE, name="x").line(place) == line


def test_a_path_that_is_not_written_has_the_line_of_what_is_around_it() -> None:
    document = parse(FILE, name="x")

    assert document.line(("outlets", 0, "name")) == 8
    assert document.line(("nowhere", "at", "all")) == 1


def test_line_ends_of_windows_count_once() -> None:
    assert parse("a = 1\r\nb = '''\r\nx'''\r\nc = 3\r\n", name="x").line(("c",)) == 4


KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\\\"'\n\r\x7f", exclude_categories=["C"]), max_size=8)
VALUES = st.recursive(
    st.integers() | st.booleans() | st.text(max_size=8).map(lambda text: text.replace("\x7f", "")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


def written(value: Any) -> str:
    """Write a value as TOML, on one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value % 10_000)
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(ch):08x}" for ch in value if not 0xD800 <= ord(ch) < 0xE000) + '"'
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return "{" + ", ".join(f'"{key}" = {written(inner)}' for key, inner in value.items()) + "}"


@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=4), min_size=1, max_size=4))
def test_whatever_stands_in_a_file_is_found_where_it_stands(tables: list[dict[str, Any]]) -> None:
    text = ""
    expected: dict[Place, int] = {}
    for number, table in enumerate(tables):
        expected["t", number] = text.count("\n") + 1
        text += "[[t]]\n"
        for key, value in table.items():
            expected["t", number, key] = text.count("\n") + 1
            text += f'"{key}" = {written(value)}\n'

    document = parse(text, name="x")

    assert {place: line for place, line in document.lines.items() if place in expected} == expected
    assert _paths(document.data) >= set(expected)


def _paths(value: Any, place: Place = ()) -> set[Place]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {place, *(path for key, one in inner for path in _paths(one, (*place, key)))}


def test_what_is_not_toml_is_a_fault_with_its_line() -> None:
    with pytest.raises(FaultList) as refused:
        parse("a = 1\nb = = 2\n", name="brand.toml")

    assert str(refused.value) == "brand.toml:2: not TOML: Invalid value"


def test_an_unfinished_text_is_a_fault_at_the_end() -> None:
    with pytest.raises(FaultList) as refused:
        parse('a = 1\nb = """\nmore', name="brand.toml")

    assert [fault.line for fault in refused.value.faults] == [3]


def test_a_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b"name = 'S\xf6derholm'\n")

    for path, message in (
        (tmp_path / "none.toml", "cannot be read: No such file or directory"),
        (latin, "is not UTF-8 text"),
    ):
        with pytest.raises(FaultList) as refused:
            toml.read(path)
        assert refused.value.faults == [Fault(1, message)]


def test_faults_come_once_and_in_the_order_of_the_lines() -> None:
    faults = FaultList("f", [Fault(9, "b"), Fault(2, "a"), Fault(9, "b")])

    assert str(faults) == "f:2: a\nf:9: b"
