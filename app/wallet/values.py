"""How a template is filled: whole values only, never text inside text. Pure."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

Json = Any  # what json.loads returns

PLACEHOLDER = re.compile(r"\{\{\s*([a-z_.]+)\s*\}\}")
# What has one of these, and that one empty, says nothing and is left out: a field, a text module, a link, a barcode.
_OWN_TEXT = ("value", "body", "uri", "message")


class UnknownPlaceholder(LookupError):
    """A template asks for a value that does not exist."""


def fill(node: Json, values: Mapping[str, str]) -> Json:
    """Return a template's JSON with its placeholders replaced and everything empty left out.

    Raises:
        UnknownPlaceholder: a name that `values` does not have; nothing is shown as empty by mistake.
    """
    return prune(replace(node, values))


def replace(node: Json, values: Mapping[str, str]) -> Json:
    """Return a template's JSON with its placeholders replaced, empty values and all; raises as `fill` does."""
    if isinstance(node, dict):
        return {key: replace(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [replace(each, values) for each in node]
    if not isinstance(node, str) or "{{" not in node:
        return node
    found = PLACEHOLDER.fullmatch(node)
    if found is None or found[1] not in values:
        raise UnknownPlaceholder(node)
    return values[found[1]]


def prune(node: Json) -> Json:
    """Return JSON without what is empty and what says nothing; false and 0 are values and stay."""
    if isinstance(node, dict):
        kept = ((key, prune(value)) for key, value in node.items() if not says_nothing(value))
        return {key: value for key, value in kept if value or value == 0}
    if isinstance(node, list):
        items = (prune(each) for each in node if not says_nothing(each))
        return [item for item in items if item or item == 0]
    return node


def says_nothing(item: Json) -> bool:
    """Tell whether an object has no text of its own: a code without its value is no barcode."""
    if not isinstance(item, dict):
        return False
    return any(key in item and item[key] == "" for key in _OWN_TEXT)


@lru_cache(maxsize=256)
def rgb(color: str) -> str:
    """Return `#183f8c` as Apple writes colors, `rgb(24, 63, 140)`."""
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgb({red}, {green}, {blue})"


def grouped(code: str) -> str:
    """Return a code in groups of four, as people read and type it."""
    return " ".join(code[at : at + 4] for at in range(0, len(code), 4))
