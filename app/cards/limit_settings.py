"""The `[limits]` of a brand file: against misuse, each with its default, `false` for off."""

from typing import Annotated, Literal

from pydantic import Field

from app.core.setup import Entry, Setup

Limit = Annotated[int, Field(ge=1, le=1_000_000)] | Literal[False]


class LimitsIn(Entry):
    """What `app.cards.limits.Limits` says of each; its defaults hold for what is never given."""

    purchases_outlet_day: Limit = 3
    purchases_day: Limit = 6
    manual_member_day: Limit = 2
    manual_cashier_hour: Limit = 60
    award_units: Limit = 30
    award_cents: Limit = 5000
    own_card: bool = True
    own_card_month: Limit = 5
    far_km: Limit = 100
    far_minutes: int = Field(10, ge=1, le=1440)


def save(setup: Setup) -> None:
    """Keep what the file gives; what it omits is left alone."""
    item = setup.one("limits", LimitsIn)
    if item is not None:
        given = item.given(*LimitsIn.model_fields)
        setup.update(setup.brand, "limits", {"limits": {**setup.brand.limits, **given}})
