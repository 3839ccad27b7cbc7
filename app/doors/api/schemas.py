"""What the till API takes and answers. Unknown fields are refused; money is integer cents; times carry an offset."""

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from app.core.money import MAX_CENTS


def _written(value: object) -> object:
    """Take a day or moment as text only: a number would pass for seconds since 1970."""
    if isinstance(value, int | float) or (isinstance(value, str) and not re.match(r"\d{4}-\d\d-\d\d", value)):
        raise ValueError("write it as 2026-03-02, a moment as 2026-03-02T09:00:00+02:00")
    return value


def _counted(value: object) -> object:
    """Take a number as a number only; 900.0 is one in JSON."""
    if isinstance(value, bool | str):
        raise ValueError("write it as a number, without quotes")
    return value


Cents = Annotated[int, Field(ge=0, le=MAX_CENTS, description="integer cents"), BeforeValidator(_counted)]
Moment = Annotated[AwareDatetime, BeforeValidator(_written)]
Day = Annotated[date, BeforeValidator(_written)]
PublicId = Annotated[str, Field(min_length=26, max_length=26, pattern=r"^[0-9A-Z]{26}$")]
Receipt = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f]*[^\x00-\x20][^\x00-\x1f]*$")]
Text = Annotated[str, Field(min_length=1, max_length=400, pattern=r"^[^\x00]+$")]


class In(BaseModel):
    """A request body: no unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Out(BaseModel):
    """An answer."""

    model_config = ConfigDict(extra="forbid")


def _one_of(*ways: tuple[str, ...]) -> dict[str, Any]:
    """Say in the document what a validator checks: the fields of exactly one way are given, those of the others not."""
    every = {name for way in ways for name in way}
    given, absent = {"not": {"type": "null"}}, {"type": "null"}
    return {
        "oneOf": [
            {"required": list(way), "properties": {name: given if name in way else absent for name in sorted(every)}}
            for way in ways
        ]
    }


class ScanIn(In):
    """What was scanned or typed."""

    text: Text = Field(
        description="text of the member's QR, or the spoken code",
        examples=["HTTPS://LEIMA.EXAMPLE/M/ABCDEFGHJKLMNPQR.123456"],
    )


class CardOut(Out):
    """A member's card in one program."""

    program: str
    name: str
    unit: str
    balance: int = Field(description="stamps on the open card; negative when a refund left a debt")
    size: int


class CouponOut(Out):
    """A coupon that can be redeemed. `code` is given when the scan may redeem."""

    id: str
    title: str
    expires_at: AwareDatetime
    code: str | None = None


class ScanOut(Out):
    """A scan lives 5 minutes, at this till."""

    scan: str
    member: str = Field(description="first name and initial, may be empty")
    may_redeem: bool
    note: str | None = Field(description="why it may not redeem: code_stale or code_used")
    expires_at: AwareDatetime
    cards: list[CardOut]
    coupons: list[CouponOut]


class MemberIn(In):
    """Sign up at the till. Consents stay pending until the member confirms on their own phone."""

    contact: Text = Field(description="email address or phone number")
    age_confirmed: bool = Field(strict=True, description="the member has said to be old enough")
    first_name: Annotated[str, Field(max_length=60, pattern=r"^[^\x00]*$")] | None = None
    language: Literal["fi", "sv", "en"] = "fi"
    consents: list[Literal["email", "sms", "push"]] = Field([], max_length=3)


class MemberOut(Out):
    """A new member; `scan` lets this till stamp at once."""

    scan: str
    member: str
    spoken_code: str
    cards: list[CardOut]


class PurchaseIn(In):
    """A purchase that may earn. `scan` or `member`, not both."""

    model_config = ConfigDict(json_schema_extra=_one_of(("scan",), ("member",)))

    scan: PublicId | None = None
    member: Text | None = Field(None, description="member's code, where the till kept no scan")
    receipt: Receipt
    occurred_at: Moment
    total_cents: Cents
    cashier: PublicId | None = None

    @model_validator(mode="after")
    def _one(self) -> "PurchaseIn":
        if (self.scan is None) == (self.member is None):
            raise ValueError("give scan or member, not both")
        return self


class AwardOut(Out):
    """What a purchase gave in one program; `reason` says why it was nothing or less."""

    program: str
    unit: str
    amount: int
    balance: int
    size: int
    filled: int = Field(description="how many cards it filled")
    rule: str
    reason: str = Field(description="reason code, empty when all of it was earned")
    sentence: str = Field(description="the reason for people")


class IssuedOut(Out):
    """A coupon that this purchase earned."""

    id: str
    title: str
    expires_at: AwareDatetime


class PurchaseOut(Out):
    """A booked purchase."""

    purchase: str
    awards: list[AwardOut]
    coupons_issued: list[IssuedOut]
    coupons_redeemed: list[IssuedOut]
    amount_due_cents: int


class RefundIn(In):
    """A whole purchase to take back: by its id, or by till, receipt and local date."""

    model_config = ConfigDict(json_schema_extra=_one_of(("purchase",), ("till", "receipt", "local_date")))

    purchase: PublicId | None = None
    till: PublicId | None = None
    receipt: Receipt | None = None
    local_date: Day | None = None

    @model_validator(mode="after")
    def _one(self) -> "RefundIn":
        given = [part is not None for part in (self.till, self.receipt, self.local_date)]
        if not (all(given) if self.purchase is None else not any(given)):
            raise ValueError("give purchase, or till with receipt and local_date, not both")
        return self


class ReversedOut(Out):
    """What a refund took in one program."""

    program: str
    amount: int
    balance: int
    fills_undone: int


class RefundOut(Out):
    """A booked refund; a repeat answers as the first did."""

    refund: str
    purchase: str
    amount_cents: int
    reversed: list[ReversedOut]
    coupons_returned: int
    repeated: bool


class RedemptionIn(In):
    """Where a coupon is used."""

    purchase: PublicId | None = Field(None, description="the basket it was used on, of this outlet")


class RedemptionOut(Out):
    """A coupon used, once ever."""

    redemption: str
    coupon: str
    title: str
    settlement_cents: int
    fee_cents: int
    occurred_at: AwareDatetime
