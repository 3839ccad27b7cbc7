"""The `[[offers]]` of a brand file: prices for members."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from app.core.money import MAX_CENTS
from app.core.setup import Entry, Item, Section, Setup
from app.network.cost_centres import cost_centre
from app.network.models import CostCentre, Outlet
from app.network.setup import Slug, Texts
from app.rewards.offer_models import Offer
from app.rewards.setup import window

Hour = Annotated[str, Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$")]
PLAIN = (
    "name", "price_cents", "percent_bp", "skus", "groups", "weekdays", "hours_from", "hours_to", "outlets", "tiers",
    "per_day", "compensation_cents", "campaign", "vat_code",
)  # fmt: skip


class OfferIn(Entry):
    """A price for members, and what the outlet is paid for each item."""

    slug: Slug
    name: Texts
    price_cents: int | None = Field(None, ge=0, le=MAX_CENTS)
    percent_bp: int | None = Field(None, ge=1, le=10_000)
    skus: list[str] = Field([], max_length=200)
    groups: list[str] = Field([], max_length=200)
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    weekdays: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = Field([], max_length=7)
    hours_from: Hour = ""
    hours_to: Hour = ""
    outlets: list[Slug] = Field([], max_length=2000)
    tiers: list[Slug] = Field([], max_length=20)
    per_day: int | None = Field(None, ge=1, le=1000)
    compensation_cents: int = Field(0, ge=0, le=MAX_CENTS)
    cost_centre: str | None = None
    campaign: str | None = Field(None, min_length=1, max_length=40)
    vat_code: str = Field("", max_length=20)

    @model_validator(mode="after")
    def _sound(self) -> "OfferIn":
        if (self.price_cents is None) == (self.percent_bp is None):
            raise ValueError("give either price_cents or percent_bp")
        if bool(self.hours_from) != bool(self.hours_to):
            raise ValueError("give hours_from and hours_to together")
        if self.hours_from and self.hours_from == self.hours_to:
            raise ValueError("hours from and to the same minute: leave them out for the whole day")
        return self


SECTIONS = (Section("offers", OfferIn, refers={"cost_centre": ("cost_centres", CostCentre)}),)


def apply(setup: Setup) -> None:
    """Save the member prices; whether their tiers are there, the programs know."""
    for item in setup.items("offers", OfferIn):
        values = item.given(*PLAIN) | window(setup, item)
        for number, slug in enumerate(item.value.outlets):
            setup.refer("outlets", Outlet, slug, (*item.place, "outlets", number))
        borne_by = cost_centre(setup, item)
        if borne_by is None:
            continue
        setup.save(Offer, f"offer {item.value.slug}", {"slug": item.value.slug}, _whole(item, values | borne_by))


def _whole(item: Item[OfferIn], values: dict[str, Any]) -> dict[str, Any]:
    """Let a price that becomes a percentage, or the other way round, give the other one up."""
    return values | {"price_cents": item.value.price_cents, "percent_bp": item.value.percent_bp}
