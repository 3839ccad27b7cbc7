"""docs/brand-file.md says all that a brand file may hold, and nothing that it may not."""

import re
from pathlib import Path

from pydantic import BaseModel

from app import registry
from app.core.setup import Section

DOCS = Path(__file__).parents[1] / "docs" / "brand-file.md"
SECTIONS = {section.name: section for module in registry.SETUP for section in module.SECTIONS}


def documented(text: str) -> dict[str, set[str]]:
    """Return section → keys in the first column of its table."""
    found: dict[str, set[str]] = {}
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        rows = [line.split("|")[1] for line in part.splitlines() if line.startswith("| `")]
        found[part.splitlines()[0]] = {key for row in rows for key in re.findall(r"`(\w+)`", row)}
    return found


def heading(section: Section) -> str:
    return f"[[{section.name}]]" if section.many else f"[{section.name}]"


def test_every_section_and_key_is_documented_and_no_other() -> None:
    expected = {heading(section): set(section.entry.model_fields) for section in SECTIONS.values()}

    assert documented(DOCS.read_text(encoding="utf-8")) == expected


def test_every_key_of_a_table_within_a_section_is_named() -> None:
    text = DOCS.read_text(encoding="utf-8")
    nested = {key for section in SECTIONS.values() for key in _nested(section.entry)}

    assert {"street", "latitude", "on_ink", "push"} <= nested
    assert [key for key in sorted(nested) if f"`{key}`" not in text] == []


def _nested(model: type[BaseModel]) -> set[str]:
    found: set[str] = set()
    for field in model.model_fields.values():
        candidates = (field.annotation, *getattr(field.annotation, "__args__", ()))
        for inner in candidates:
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                found |= set(inner.model_fields) | _nested(inner)
    return found


def test_a_key_that_is_not_documented_is_found() -> None:
    assert documented("## [brand]\n\n| key |\n|---|\n| `slug`, `name` | x |\n") == {"[brand]": {"slug", "name"}}
