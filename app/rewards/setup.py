"""The `[[rewards]]` of a brand file, and the brand's welcome reward."""

from typing import Literal

from pydantic import Field

from app.core.money import MAX_CENTS
from app.core.setup import Entry, Section, Setup
from app.network.models import CostCentre
from app.network.setup import BrandIn, Slug, Texts
from app.rewards.models import Reward


class RewardIn(Entry):
    """What a member may get, and what the outlet is paid."""

    slug: Slug
    kind: Literal["product", "discount_cents", "discount_percent", "service", "free_text"] = "product"
    name: Texts
    terms: Texts | None = None
    icon: Literal["cup", "bun", "tag"] = "cup"
    face_cents: int = Field(0, ge=0, le=MAX_CENTS)
    settlement_cents: int = Field(0, ge=0, le=MAX_CENTS)
    fee_cents: int = Field(0, ge=0, le=MAX_CENTS)
    cost_centre: str | None = None
    valid_days: int = Field(60, ge=1, le=3650)


SECTIONS = (Section("rewards", RewardIn, refers={"cost_centre": ("cost_centres", CostCentre)}),)


def apply(setup: Setup) -> None:
    """Save the rewards, then say which of them welcomes a newcomer."""
    for item in setup.items("rewards", RewardIn):
        values = item.given(
            "kind", "name", "terms", "icon", "face_cents", "settlement_cents", "fee_cents", "valid_days"
        )
        if item.value.cost_centre is not None:
            centre = setup.refer("cost_centres", CostCentre, item.value.cost_centre, (*item.place, "cost_centre"))
            if centre is None:
                continue
            values["cost_centre_id"] = centre.id
        setup.save(Reward, f"reward {item.value.slug}", {"slug": item.value.slug}, values)
    brand = setup.one("brand", BrandIn)
    if brand is not None and brand.value.welcome_reward:
        reward = setup.refer("rewards", Reward, brand.value.welcome_reward, (*brand.place, "welcome_reward"))
        if reward is not None:
            setup.update(setup.brand, f"brand {setup.brand.slug}", {"welcome_reward_id": reward.id})
