"""The `[[rewards]]` of a brand file, and the brand's welcome reward."""

from datetime import UTC, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from app.core.money import MAX_CENTS
from app.core.setup import Entry, Item, Section, Setup
from app.network.cost_centres import cost_centre
from app.network.models import CostCentre, Outlet
from app.network.setup import BrandIn, Slug, Texts
from app.rewards.models import Reward
from app.rewards.rules import MEASURED

# Kind → what it cannot do without. A key that is tied to kinds is refused for all others.
NEEDS = {"discount_cents": "face_cents", "discount_percent": "percent_bp", "gift_card": "face_cents"}
TIED = {
    "percent_bp": ("discount_percent",),
    "cap_cents": ("discount_percent",),
    "skus": ("product", "discount_percent"),
    "groups": ("product", "discount_percent"),
    "seats": ("invitation",),
    "sold_up_to_cents": ("gift_card",),
}
PLAIN = (
    "kind", "name", "terms", "icon", "face_cents", "settlement_cents", "fee_cents", "valid_days", "percent_bp",
    "cap_cents", "skus", "groups", "min_basket_cents", "outlets", "vat_code", "campaign", "seats", "sold_up_to_cents",
)  # fmt: skip


class RewardIn(Entry):
    """What a member may get, and what the outlet is paid."""

    slug: Slug
    kind: Literal[
        "product", "discount_cents", "discount_percent", "gift_card", "service", "invitation", "free_text"
    ] = "product"
    name: Texts
    terms: Texts | None = None
    icon: Literal["cup", "bun", "tag"] = "cup"
    face_cents: int = Field(0, ge=0, le=MAX_CENTS)
    settlement_cents: int = Field(0, ge=0, le=MAX_CENTS)
    fee_cents: int = Field(0, ge=0, le=MAX_CENTS)
    cost_centre: str | None = None
    valid_days: int = Field(60, ge=1, le=3650)
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    percent_bp: int | None = Field(None, ge=1, le=10_000)
    cap_cents: int | None = Field(None, ge=1, le=MAX_CENTS)
    skus: list[str] = Field([], max_length=200)
    groups: list[str] = Field([], max_length=200)
    min_basket_cents: int = Field(0, ge=0, le=MAX_CENTS)
    outlets: list[Slug] = Field([], max_length=2000)
    vat_code: str = Field("", max_length=20)
    campaign: str | None = Field(None, min_length=1, max_length=40)
    seats: int | None = Field(None, ge=1, le=100_000)
    sold_up_to_cents: int | None = Field(None, ge=1, le=MAX_CENTS)

    @model_validator(mode="after")
    def _sound(self) -> "RewardIn":
        needed = NEEDS.get(self.kind)
        if needed and not getattr(self, needed):
            raise ValueError(f"a reward of kind {self.kind} needs {needed}")
        for key, kinds in TIED.items():
            if getattr(self, key) and self.kind not in kinds:
                raise ValueError(f"{key} is for {' and '.join(kinds)}, not for {self.kind}")
        if self.sold_up_to_cents is not None and self.sold_up_to_cents < self.face_cents:
            raise ValueError("sold_up_to_cents is less than face_cents, from which it is sold on")
        if self.kind in (*MEASURED, "gift_card") and self.settlement_cents:
            raise ValueError(f"a reward of kind {self.kind} settles at what the outlet gave, without settlement_cents")
        return self


SECTIONS = (Section("rewards", RewardIn, refers={"cost_centre": ("cost_centres", CostCentre)}),)


def apply(setup: Setup) -> None:
    """Save the rewards, then say which of them welcomes a newcomer."""
    for item in setup.items("rewards", RewardIn):
        values = item.given(*PLAIN) | window(setup, item)
        for number, slug in enumerate(item.value.outlets):
            setup.refer("outlets", Outlet, slug, (*item.place, "outlets", number))
        borne_by = cost_centre(setup, item)
        if borne_by is None:
            continue
        setup.save(Reward, f"reward {item.value.slug}", {"slug": item.value.slug}, values | borne_by)
    brand = setup.one("brand", BrandIn)
    if brand is not None and brand.value.welcome_reward:
        reward = setup.refer("rewards", Reward, brand.value.welcome_reward, (*brand.place, "welcome_reward"))
        if reward is not None:
            setup.update(setup.brand, f"brand {setup.brand.slug}", {"welcome_reward_id": reward.id})


def window(setup: Setup, item: Item[Any]) -> dict[str, Any]:
    """Return the moments of the window, those without an offset in the brand's zone."""
    zone = ZoneInfo(setup.brand.zone)
    values: dict[str, Any] = item.given("valid_from", "valid_until")
    moments = {
        name: at.replace(tzinfo=at.tzinfo or zone).astimezone(UTC) if at is not None else None
        for name, at in values.items()
    }
    begins, ends = moments.get("valid_from"), moments.get("valid_until")
    if begins is not None and ends is not None and begins >= ends:
        setup.fault((*item.place, "valid_until"), "valid_until: it must be after valid_from")
    return moments
