"""The member prices of a brand file: saved with their moments, what does not fit together is told with its line."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from app import registry
from app.core.db import Database
from app.core.setup import apply_file
from app.core.toml import FaultList
from app.network.models import Brand
from app.rewards.offer_models import Offer

BRAND = """
[brand]
slug = "puro"
name = "Puro"

[[cost_centres]]
slug = "loyalty"
name = "Loyalty"

[[resellers]]
slug = "oy"
name = "Oy"
business_id = "2847160-5"

[[outlets]]
slug = "kauppa"
name = "Kauppa"
reseller = "oy"

[[offers]]
slug = "latte"
name = { en = "Latte" }
"""
WHOLE = """price_cents = 300
skus = ["latte"]
groups = ["coffee"]
valid_from = 2026-03-29T00:00:00
valid_until = 2026-10-26T00:00:00
weekdays = ["fri", "sat"]
hours_from = "22:00"
hours_to = "02:00"
outlets = ["kauppa"]
per_day = 2
compensation_cents = 75
cost_centre = "loyalty"
campaign = "autumn"
vat_code = "A14"
"""


def apply(database: Database, tmp_path: Path, lines: str) -> list[str]:
    path = tmp_path / "brand.toml"
    path.write_text(BRAND + lines, encoding="utf-8")
    return [change.what for change in apply_file(database, path, registry.SETUP)]


def test_offer_is_saved_with_its_moments_in_the_brands_zone_and_again_changes_nothing(
    database: Database, tmp_path: Path
) -> None:
    apply(database, tmp_path, WHOLE)

    assert apply(database, tmp_path, WHOLE) == []
    with database.reading() as session:
        brand_id = session.scalars(select(Brand.id)).one()
    with database.reading(brand_id) as session:
        offer = session.scalars(select(Offer)).one()
        # Both are Sundays of a clock change: midnight is still winter's at the first, and winter's again at the last.
        window = (datetime(2026, 3, 28, 22, tzinfo=UTC), datetime(2026, 10, 25, 22, tzinfo=UTC))
        assert (offer.valid_from, offer.valid_until) == window
        assert (offer.price_cents, offer.percent_bp, offer.compensation_cents, offer.per_day) == (300, None, 75, 2)
        assert (offer.weekdays, offer.hours_from, offer.hours_to) == (["fri", "sat"], "22:00", "02:00")


def test_price_that_becomes_a_percentage_gives_the_price_up(sqlite: Database, tmp_path: Path) -> None:
    apply(sqlite, tmp_path, "price_cents = 300\n")

    assert apply(sqlite, tmp_path, "percent_bp = 1000\n") == ["offer latte"]


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ("", "give either price_cents or percent_bp"),
        ("price_cents = 300\npercent_bp = 100\n", "give either price_cents or percent_bp"),
        ('price_cents = 300\nhours_from = "10:00"\n', "give hours_from and hours_to together"),
        ('price_cents = 300\nhours_from = "10:00"\nhours_to = "10:00"\n', "leave them out for the whole day"),
        ('price_cents = 300\nhours_from = "24:00"\nhours_to = "10:00"\n', "hours_from: string should match"),
        ('price_cents = 300\noutlets = ["nowhere"]\n', "no outlet has the slug 'nowhere'"),
        ('price_cents = 300\ncost_centre = "nothing"\n', "no cost centre has the slug 'nothing'"),
        ('price_cents = 300\ntiers = ["gold"]\n', "no standing program has the tier 'gold'"),
        (
            "price_cents = 300\nvalid_from = 2026-03-02T00:00:00\nvalid_until = 2026-03-01T00:00:00\n",
            "it must be after valid_from",
        ),
    ],
)
def test_what_does_not_fit_together_is_a_fault(sqlite: Database, tmp_path: Path, lines: str, fault: str) -> None:
    with pytest.raises(FaultList) as refused:
        apply(sqlite, tmp_path, lines)

    assert [fault in one.message for one in refused.value.faults] == [True]
