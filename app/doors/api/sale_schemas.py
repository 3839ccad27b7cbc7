"""What the till API takes and answers about sales and their refunds, as `schemas` does about all else."""

from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, ConfigDict, Field, model_validator

from app.core.money import MAX_CENTS
from app.doors.api.schemas import (
    A_MOMENT,
    AN_ID,
    BY_ID,
    ApprovalIn,
    Cents,
    Code,
    Day,
    In,
    Moment,
    OfMemberIn,
    Out,
    PublicId,
    Receipt,
    Slug,
    _counted,
    one_of,
)

Sku = Annotated[str, Field(max_length=40, pattern=r"^[^\x00-\x1f]*$")]
Some = Annotated[int, Field(ge=1, le=MAX_CENTS), BeforeValidator(_counted)]
Items = Annotated[int, Field(ge=1, le=10_000), BeforeValidator(_counted)]
Number = Annotated[int, Field(ge=1, le=500), BeforeValidator(_counted)]
Rate = Annotated[int, Field(ge=0, le=10_000), BeforeValidator(_counted)]


class LineIn(In):
    """One line of a basket."""

    sku: Sku = Field("", description="the till's own name of the goods", examples=["latte"])
    group: Sku = Field("", description="the till's own name of the group of goods", examples=["coffee"])
    quantity: Items = Field(1, description="how many items", examples=[2])
    unit_price_cents: Cents = Field(description="gross price of one item, integer cents", examples=[450])
    vat_rate_bp: Rate | None = Field(None, description="VAT in basis points: 1400 are 14 %", examples=[1400])
    offer: Slug | None = Field(None, description="short name of its member price", examples=["bun-monday"])
    normal_price_cents: Cents | None = Field(
        None, description="what one item costs others, where the member price is a percentage", examples=[500]
    )


class GiftCardIn(In):
    """A gift card that the basket is paid with."""

    code: Code = Field(description="its code, as read or typed", examples=["7K3M9QXV2HRT2"])
    cents: Some | None = Field(None, description="how much of it; left out: as much as is left to pay", examples=[500])


class BasketIn(OfMemberIn):
    """What is sold to whom, and what it is paid with beside money."""

    total_cents: Cents = Field(
        description="gross with VAT, before coupons, bonus and gift cards; integer cents", examples=[1290]
    )
    lines: list[LineIn] = Field([], max_length=500, description="they sum to total_cents; none where only it is known")
    coupons: list[Code] = Field([], max_length=20, description="codes of coupons to redeem on this basket")
    spend: dict[Slug, Some] = Field(
        {}, max_length=10, description="short name of a bonus program → cents of it to pay with; needs a scan that may"
        " redeem", examples=[{"bonus": 250}], json_schema_extra={"additionalProperties": False},
    )  # fmt: skip
    gift_cards: list[GiftCardIn] = Field([], max_length=10, description="gift cards to pay with")
    cashier: PublicId | None = Field(None, description=f"who sold, {BY_ID}")
    approval: ApprovalIn | None = Field(None, description="what a till gets by asking a manager after needs_approval")


class PurchaseIn(BasketIn):
    """A purchase that may earn. `scan` or `member`, not both."""

    receipt: Receipt = Field(description="the receipt's number, once for a till and day", examples=["1041"])
    occurred_at: Moment = Field(description="at most 5 minutes ahead, 30 days back", examples=[A_MOMENT])


class QuoteIn(BasketIn):
    """The body of a purchase; what a till does not know before payment may be left out."""

    receipt: Receipt | None = Field(None, description="not looked at", examples=["1041"])
    occurred_at: Moment | None = Field(None, description="now, where it is left out", examples=[A_MOMENT])


class AwardOut(Out):
    """What a purchase gives in one program; `reason` says why it is nothing or less."""

    program: str = Field(description="short name of the program", examples=["coffee"])
    kind: str = Field(description="stamp_card, bonus, points, visits, cash_back or standing", examples=["stamp_card"])
    unit: str = Field(description="what is collected, in the number of `amount`", examples=["stamps"])
    amount: int = Field(description="how many this purchase earns; cents in bonus and cash_back", examples=[2])
    pending: bool = Field(description="whether the amount waits for its release", examples=[False])
    balance: int = Field(description="on the open card afterwards; negative is a debt", examples=[5])
    size: int = Field(description="how many fill the card; 0 where nothing is filled", examples=[10])
    filled: int = Field(description="how many cards it fills", examples=[0])
    rule: str = Field(description="the short name of the rule that gives most", examples=["per-euros"])
    explanation: str = Field(
        description="how the amount came about, for people; empty for nothing",
        examples=["2 stamps: €9.00 at €4.00 each"],
    )
    reason: str = Field(description="reason code, empty when all of it is earned")
    sentence: str = Field(description="the reason for people")


class IssuedOut(Out):
    """A coupon that this purchase earned."""

    id: str = Field(description="names the coupon, does not redeem it", examples=[AN_ID])
    title: str = Field(description="what it is for, for people", examples=["Free coffee"])
    expires_at: AwareDatetime = Field(description="usable until then", examples=[A_MOMENT])


class IssuedGiftCardOut(Out):
    """A gift card that this purchase earned."""

    id: str = Field(description="names the gift card, does not pay", examples=[AN_ID])
    cents: int = Field(description="what is on it", examples=[500])
    expires_at: AwareDatetime | None = Field(description="usable until then; null is for ever", examples=[A_MOMENT])


class CouponUseOut(Out):
    """A coupon on this basket."""

    id: str = Field(description="names the coupon", examples=[AN_ID])
    title: str = Field(description="what it is for, for people", examples=["Free coffee"])
    discount_cents: int = Field(description="what it takes off the basket", examples=[450])


class RedeemedOut(CouponUseOut):
    """A coupon redeemed with this purchase."""

    redemption: str = Field(description="names the use, for POST /redemptions/{id}/reversals", examples=[AN_ID])
    settlement_cents: int = Field(description="what the brand pays the outlet for it", examples=[250])


class GiftCardUseOut(Out):
    """A gift card on this basket."""

    id: str = Field(description="names the gift card", examples=[AN_ID])
    cents: int = Field(description="how much of it pays", examples=[500])
    balance_cents: int = Field(description="what is left on it afterwards", examples=[0])


class _Met(Out):
    """How a basket is met."""

    awards: list[AwardOut] = Field(
        description="one of each program, and after it one more for each rule that its new balance set off"
    )
    gift_cards_used: list[GiftCardUseOut] = Field(description="that pay for a part")
    spent: dict[str, int] = Field(description="program → cents of it that pay for a part", examples=[{"bonus": 250}])
    discount_cents: int = Field(description="what coupons take off", examples=[450])
    amount_due_cents: int = Field(description="what is left to pay in money; it is what earns", examples=[1290])


class QuoteOut(_Met):
    """What a purchase would do now; binds nothing."""

    coupons: list[CouponUseOut] = Field(description="that would be redeemed")


class PurchaseOut(_Met):
    """A booked purchase."""

    purchase: str = Field(description="names the purchase, for POST /refunds", examples=[AN_ID])
    coupons_issued: list[IssuedOut] = Field(description="of full cards, thresholds and rules")
    gift_cards_issued: list[IssuedGiftCardOut] = Field(description="the same, where the reward is a gift card")
    coupons_redeemed: list[RedeemedOut] = Field(description="used with this purchase")


class ReturnIn(In):
    """Items of one line that come back."""

    line: Number = Field(description="its number in the purchase, from 1", examples=[1])
    quantity: Items = Field(description="how many items", examples=[1])


class RefundIn(In):
    """A purchase to take back: by its id, or by till, receipt and local date. Whole, unless lines are given."""

    model_config = ConfigDict(json_schema_extra=one_of(("purchase",), ("till", "receipt", "local_date")))

    purchase: PublicId | None = Field(None, description="from POST /purchases", examples=[AN_ID])
    till: PublicId | None = Field(None, description=f"the till that sold, of this outlet, {BY_ID}")
    receipt: Receipt | None = Field(None, description="the receipt's number")
    local_date: Day | None = Field(None, description="the day of the sale where the shop is")
    lines: list[ReturnIn] = Field([], max_length=500, description="what comes back; none is all that is left")

    @model_validator(mode="after")
    def _one(self) -> "RefundIn":
        given = [part is not None for part in (self.till, self.receipt, self.local_date)]
        if not (all(given) if self.purchase is None else not any(given)):
            raise ValueError("give purchase, or till with receipt and local_date, not both")
        return self


class ReversedOut(Out):
    """What a refund took in one program."""

    program: str = Field(description="short name of the program", examples=["coffee"])
    amount: int = Field(description="how many were taken, below zero", examples=[-2])
    balance: int = Field(description="on the open card now; negative is a debt", examples=[3])
    fills_undone: int = Field(description="how many full cards were opened again", examples=[0])


class RefundOut(Out):
    """A booked refund; a repeat of a whole one answers as the first did."""

    refund: str = Field(description="names the refund", examples=[AN_ID])
    purchase: str = Field(description="the purchase that was taken back", examples=[AN_ID])
    amount_cents: int = Field(description="gross of the goods that came back", examples=[1290])
    paid_cents: int = Field(description="of that, what the customer gets in money", examples=[1040])
    spent_cents: int = Field(description="of that, what went back to bonus and gift cards", examples=[250])
    reversed: list[ReversedOut] = Field(description="one of each program that lost something")
    coupons_returned: int = Field(description="coupons used on it that can be used again", examples=[0])
    repeated: bool = Field(description="whether it had been taken back before")
