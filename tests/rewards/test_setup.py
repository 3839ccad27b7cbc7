"""The rewards of a brand file: every kind is saved, what does not fit together is told with its line."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from app import registry
from app.core.db import Database
from app.core.setup import apply_file
from app.core.toml import FaultList
from app.network.models import Brand
from app.rewards.models import Reward

BRAND = """
[brand]
slug = "puro"
name = "Puro"

[[resellers]]
slug = "oy"
name = "Oy"
business_id = "2847160-5"

[[outlets]]
slug = "kauppa"
name = "Kauppa"
reseller = "oy"

[[rewards]]
slug = "it"
name = { en = "It" }
"""


def saved(database: Database, tmp_path: Path, lines: str) -> Reward:
    """Apply a file with one reward, and return it."""
    path = tmp_path / "brand.toml"
    path.write_text(BRAND + lines, encoding="utf-8")
    apply_file(database, path, registry.SETUP)
    assert apply_file(database, path, registry.SETUP) == []
    with database.reading() as session:
        brand_id = session.scalars(select(Brand.id)).one()
    with database.reading(brand_id) as session:
        return session.scalars(select(Reward)).one()


def told(database: Database, tmp_path: Path, lines: str) -> str:
    """Apply a file with one faulty reward, and return its one fault."""
    path = tmp_path / "brand.toml"
    path.write_text(BRAND + lines, encoding="utf-8")
    with pytest.raises(FaultList) as refused:
        apply_file(database, path, registry.SETUP)
    (fault,) = refused.value.faults
    return fault.message


def test_percent_reward_keeps_all_that_limits_it(sqlite: Database, tmp_path: Path) -> None:
    reward = saved(
        sqlite,
        tmp_path,
        'kind = "discount_percent"\npercent_bp = 1500\ncap_cents = 500\nskus = ["latte"]\ngroups = ["coffee"]\n'
        'min_basket_cents = 1000\noutlets = ["kauppa"]\nvat_code = "ALV14"\ncampaign = "spring"\n',
    )

    assert (reward.percent_bp, reward.cap_cents, reward.skus, reward.groups) == (1500, 500, ["latte"], ["coffee"])
    limits = (reward.min_basket_cents, reward.outlets, reward.vat_code, reward.campaign)
    assert limits == (1000, ["kauppa"], "ALV14", "spring")


def test_window_is_in_the_brands_zone_unless_it_says_another(sqlite: Database, tmp_path: Path) -> None:
    reward = saved(
        sqlite,
        tmp_path,
        'kind = "invitation"\nseats = 40\nvalid_from = 2026-10-24T09:00:00\nvalid_until = 2026-10-26T09:00:00Z\n',
    )

    # Summer time ends in Helsinki on 25 October: 9:00 there is 6:00 on the 24th.
    assert reward.valid_from == datetime(2026, 10, 24, 6, tzinfo=UTC)
    assert (reward.valid_until, reward.seats) == (datetime(2026, 10, 26, 9, tzinfo=UTC), 40)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('kind = "discount_percent"', "a reward of kind discount_percent needs percent_bp"),
        ('kind = "discount_cents"', "a reward of kind discount_cents needs face_cents"),
        ('kind = "gift_card"', "a reward of kind gift_card needs face_cents"),
        ("percent_bp = 500", "percent_bp is for discount_percent, not for product"),
        ('kind = "service"\nskus = ["x"]', "skus is for product and discount_percent, not for service"),
        ("seats = 5", "seats is for invitation, not for product"),
        (
            'kind = "discount_cents"\nface_cents = 500\nsettlement_cents = 400',
            "a reward of kind discount_cents settles at what the outlet gave, without settlement_cents",
        ),
        (
            "valid_from = 2026-03-02T09:00:00\nvalid_until = 2026-03-02T09:00:00",
            "valid_until: it must be after valid_from",
        ),
        ('outlets = ["kaupa"]', "no outlet has the slug 'kaupa'; did you mean 'kauppa'?"),
        ('kind = "lottery"', "kind: "),
    ],
)
def test_reward_whose_keys_do_not_fit_together_is_a_fault(
    sqlite: Database, tmp_path: Path, lines: str, message: str
) -> None:
    found = told(sqlite, tmp_path, f"{lines}\n").lower()

    assert message.lower() in found
