"""What the till API takes and answers about coupons, as `schemas` does about all else."""

from pydantic import AwareDatetime, Field

from app.doors.api.schemas import A_MOMENT, AN_ID, In, Out, PublicId


class ReservationIn(In):
    """Nothing: the address names the coupon, the key names the till."""


class ReservationOut(Out):
    """A coupon that this till holds."""

    coupon: str = Field(description="names the coupon, does not redeem it", examples=[AN_ID])
    title: str = Field(description="what it is for, for people", examples=["Free coffee"])
    expires_at: AwareDatetime = Field(description="the end of the hold; the same call renews it", examples=[A_MOMENT])


class RedemptionIn(In):
    """Where a coupon is used."""

    purchase: PublicId | None = Field(None, description="the basket it was used on, of this outlet")


class RedemptionOut(Out):
    """A coupon used, once ever."""

    redemption: str = Field(description="names the use", examples=[AN_ID])
    coupon: str = Field(description="names the coupon", examples=[AN_ID])
    title: str = Field(description="what it was for, for people", examples=["Free coffee"])
    settlement_cents: int = Field(description="what the brand pays the outlet for it", examples=[250])
    fee_cents: int = Field(description="the outlet's handling fee, paid beside it", examples=[20])
    occurred_at: AwareDatetime = Field(description="when it was used", examples=[A_MOMENT])


class ReversalIn(In):
    """Nothing: the address names the redemption."""


class ReversalOut(Out):
    """A redemption that counts no more; its coupon is the member's again."""

    redemption: str = Field(description="names the use that was taken back", examples=[AN_ID])
    coupon: str = Field(description="names the coupon", examples=[AN_ID])
    expires_at: AwareDatetime = Field(description="the coupon is usable until then, as before", examples=[A_MOMENT])
    repeated: bool = Field(description="whether it had been taken back before")
