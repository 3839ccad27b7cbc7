"""Programs of every kind in a brand file: what is saved, and which faults are told on which line."""

from pathlib import Path

import pytest
from sqlalchemy import select

from app import registry
from app.cards import views
from app.cards.faces import face
from app.cards.models import Program
from app.core.db import Database
from app.core.setup import apply_file
from app.core.toml import FaultList
from app.network import service

BRAND = """[brand]
slug = "puro"
name = "Puro"
[[rewards]]
slug = "gift"
kind = "gift_card"
name = { en = "Gift card" }
face_cents = 500
[[rewards]]
slug = "coffee"
name = { en = "Coffee" }
"""
LINE = BRAND.count("\n") + 1  # of [[programs]]
PROGRAM = """[[programs]]
slug = "one"
kind = "{kind}"
name = {{ en = "One" }}
unit = {{ en = ["unit", "units"] }}
{more}
[programs.rule]
{rule}
"""
RULES = {
    "bonus": 'rules = [{ name = "a", then = [{ do = "percent", bp = 200 }] }]\nexpires_after_months = 12',
    "points": 'rules = [{ name = "a", then = [{ do = "per_amount", cents = 100 }] }]\n'
    'thresholds = [{ at = 500, reward = "coffee" }]',
    "visits": 'rules = [{ name = "a", on = "visit", then = [{ do = "award", n = 1, base = true }] }]',
    "cash_back": 'rules = [{ name = "a", then = [{ do = "percent", bp = 10000 }] }]\n'
    'thresholds = [{ at = 10000, reward = "gift" }]\nrepeats = true',
    "serial_card": "uses = 10\nprice_cents = 9000\nvalid_months = 12",
    "standing": 'tiers = [{ slug = "silver", from_cents = 50000, discount_bp = 300 }]',
}
KINDS = "'stamp_card', 'bonus', 'points', 'visits', 'cash_back', 'serial_card' or 'standing'"
FIGURES = {
    "bonus": "€0.00", "points": "0/500", "visits": "0", "cash_back": "€0.00/€100.00", "serial_card": "0",
    "standing": "",
}  # fmt: skip


def write(folder: Path, kind: str, *, rule: str = "", more: str = "") -> Path:
    """Write a brand file with one program."""
    path = folder / "brand.toml"
    text = BRAND + PROGRAM.format(kind=kind, more=more, rule=rule or RULES[kind])
    path.write_text(text, encoding="utf-8")
    return path


def told(database: Database, path: Path) -> list[str]:
    """Apply a faulty file; return its faults with the line counted from [[programs]], which is 0."""
    with pytest.raises(FaultList) as refused:
        apply_file(database, path, registry.SETUP)
    return [f"{fault.line - LINE}: {fault.message}" for fault in refused.value.faults]


LOST = """
rules = [
  { name = "p", when = { outlets = ["nowhere"], chains = ["all"] }, then = [{ do = "award", n = 1, base = true }] },
]"""


@pytest.mark.parametrize("kind", sorted(RULES))
def test_every_kind_is_saved_and_drawn(database: Database, tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, kind)

    apply_file(database, path, registry.SETUP)

    assert apply_file(database, path, registry.SETUP) == []
    with database.reading() as session:
        brand_id = service.brand_by_slug(session, "puro").id
    with database.reading(brand_id) as session:
        (card,) = views.cards(session, 0)
        assert (card.kind, face(card, "Europe/Helsinki").short) == (kind, FIGURES[kind])


@pytest.mark.parametrize(
    ("kind", "more", "rule", "faults"),
    [
        ("bonus", "size = 10", "", ["5: a bonus has no size"]),
        ("points", 'reward = "coffee"', "", ["5: a points names rewards in its rule"]),
        ("stamp_card", "", 'per = "euros"\ncents = 400',
         ["0: a stamp card needs a reward", "0: a stamp card needs a size"]),
        ("bonus", "", RULES["cash_back"], ["6: a bonus has no repeats; a bonus has no thresholds"]),
        ("cash_back", "", RULES["cash_back"].replace('"gift"', '"coffee"'),
         ["6: a cash_back gives gift cards, and reward coffee is a product"]),
        ("points", "", RULES["points"].replace('"coffee"', '"tea"'), ["6: no reward has the slug 'tea'"]),
        ("points", "", LOST,
         ["6: no chain has the slug 'all'", "6: no outlet has the slug 'nowhere'"]),
        ("banana", "", "uses = 10", [f"2: kind: input should be {KINDS}"]),
    ],
)  # fmt: skip
def test_faults_of_a_program_are_told_by_line(
    sqlite: Database, tmp_path: Path, kind: str, more: str, rule: str, faults: list[str]
) -> None:
    assert told(sqlite, write(tmp_path, kind, rule=rule, more=more)) == faults


def test_a_program_keeps_its_kind(sqlite: Database, tmp_path: Path) -> None:
    apply_file(sqlite, write(tmp_path, "bonus"), registry.SETUP)

    assert told(sqlite, write(tmp_path, "points")) == ["2: program one is a bonus: a program keeps its kind"]
    with sqlite.reading() as session:
        brand_id = service.brand_by_slug(session, "puro").id
    with sqlite.reading(brand_id) as session:
        assert session.scalars(select(Program.kind)).all() == ["bonus"]
