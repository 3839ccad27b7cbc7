"""Rules of a brand file that name tiers: each of them must be a tier of a standing program."""

from pathlib import Path

import pytest
from sqlalchemy import select

from app import registry
from app.core.db import Database
from app.core.setup import apply_file
from app.core.toml import FaultList
from app.network.models import Brand
from tests.cards.kinds import a_plan

CLUB = """
[brand]
slug = "puro"
name = "Puro"

[[rewards]]
slug = "cup"
name = { en = "Cup" }

[[programs]]
slug = "coffee"
name = { en = "Coffee" }
unit = { en = ["stamp", "stamps"] }
size = 10
reward = "cup"
rule = { rules = [{ name = "gold", when = { tiers = ["gold"] }, then = [{ do = "set_tier", tier = "black" }] }] }
"""


@pytest.fixture
def club(tmp_path: Path) -> Path:
    path = tmp_path / "brand.toml"
    path.write_text(CLUB, encoding="utf-8")
    return path


def test_tier_that_no_standing_program_has_is_a_fault(sqlite: Database, club: Path) -> None:
    with pytest.raises(FaultList) as refused:
        apply_file(sqlite, club, registry.SETUP)

    assert [(fault.line, fault.message) for fault in refused.value.faults] == [
        (16, "no standing program has the tier 'black'"), (16, "no standing program has the tier 'gold'"),
    ]  # fmt: skip


def test_tiers_of_a_standing_program_may_be_named(sqlite: Database, club: Path, tmp_path: Path) -> None:
    head = tmp_path / "head.toml"
    head.write_text(CLUB.partition("[[programs]]")[0], encoding="utf-8")
    apply_file(sqlite, head, registry.SETUP)
    with sqlite.reading() as session:
        brand_id = session.scalars(select(Brand.id)).one()
    with sqlite.unit(brand_id) as session:
        tiers = [{"slug": "gold", "from_cents": 100}, {"slug": "black", "from_visits": 9}]
        a_plan(session, "standing", {"tiers": tiers})

    assert [change.what for change in apply_file(sqlite, club, registry.SETUP)] == ["program coffee"]
