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

AN_ID = "01K8Q3ZV5T7M2XN4RWBYHDGJCE"  # what ids and moments look like, for the document
A_MOMENT = "2026-03-02T09:00:00+02:00"


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

    program: str = Field(description="short name of the program", examples=["coffee"])
    name: str = Field(description="the program's name, for people", examples=["Coffee card"])
    unit: str = Field(description="what is collected, in the plural", examples=["stamps"])
    balance: int = Field(description="stamps on the open card; negative when a refund left a debt", examples=[3])
    size: int = Field(description="how many fill the card", examples=[10])


class CouponOut(Out):
    """A coupon that can be redeemed. `code` is given when the scan may redeem."""

    id: str = Field(description="names the coupon, does not redeem it", examples=[AN_ID])
    title: str = Field(description="what it is for, for people", examples=["Free coffee"])
    expires_at: AwareDatetime = Field(description="usable until then", examples=[A_MOMENT])
    code: str | None = Field(None, description="redeems it; null when the scan may not redeem")


class ScanOut(Out):
    """A scan lives 5 minutes, at this till."""

    scan: str = Field(description="names this scan, for POST /purchases", examples=[AN_ID])
    member: str = Field(description="first name and initial, may be empty", examples=["Aino K."])
    may_redeem: bool = Field(description="whether the coupons' codes are told")
    note: str | None = Field(
        description="why a moving code may not redeem: code_stale, code_used", examples=["code_stale"]
    )
    expires_at: AwareDatetime = Field(description="the scan's end", examples=[A_MOMENT])
    cards: list[CardOut] = Field(description="one of each program")
    coupons: list[CouponOut] = Field(description="those that can be used now")


class MemberIn(In):
    """Sign up at the till. Consents stay pending until the member confirms on their own phone."""

    contact: Text = Field(
        description="email address or mobile number; the code goes there", examples=["aino@mail.example"]
    )
    contact_2: Text | None = Field(None, description="the other kind, where a consent needs it: sms needs a number")
    age_confirmed: bool = Field(strict=True, description="the member has said to be old enough")
    first_name: Annotated[str, Field(max_length=60, pattern=r"^[^\x00]*$")] | None = Field(
        None, description="may be left out", examples=["Aino"]
    )
    language: Literal["fi", "sv", "en"] = Field("fi", description="of messages and the card")
    consents: list[Literal["email", "sms", "push"]] = Field(
        [], max_length=3, description="channels ticked for marketing"
    )


class MemberOut(Out):
    """A new member; `scan` lets this till stamp at once."""

    scan: str = Field(description="names a scan of the new member, for POST /purchases", examples=[AN_ID])
    member: str = Field(description="first name and initial, may be empty", examples=["Aino K."])
    spoken_code: str = Field(description="what the member can say at a till", examples=["WTX2P4S5"])
    cards: list[CardOut] = Field(description="one of each program")


class ApprovalIn(In):
    """A manager's approval, typed at the till."""

    staff: PublicId = Field(description="the manager, by the id in the console", examples=[AN_ID])
    pin: str = Field(description="the manager's PIN, 4 to 6 digits", pattern=r"^[0-9]{4,6}$", examples=["4711"])


class PurchaseIn(In):
    """A purchase that may earn. `scan` or `member`, not both."""

    model_config = ConfigDict(json_schema_extra=_one_of(("scan",), ("member",)))

    scan: PublicId | None = Field(None, description="from POST /scans or /members, of this till", examples=[AN_ID])
    member: Text | None = Field(None, description="member's code, where the till kept no scan")
    receipt: Receipt = Field(description="the receipt's number, once for a till and day", examples=["1041"])
    occurred_at: Moment = Field(description="at most 5 minutes ahead, 30 days back", examples=[A_MOMENT])
    total_cents: Cents = Field(description="what was paid, integer cents", examples=[1290])
    cashier: PublicId | None = Field(None, description="who sold, by the id in the console")
    approval: ApprovalIn | None = Field(None, description="what a till gets by asking a manager after needs_approval")

    @model_validator(mode="after")
    def _one(self) -> "PurchaseIn":
        if (self.scan is None) == (self.member is None):
            raise ValueError("give scan or member, not both")
        return self


class AwardOut(Out):
    """What a purchase gave in one program; `reason` says why it was nothing or less."""

    program: str = Field(description="short name of the program", examples=["coffee"])
    unit: str = Field(description="what is collected, in the number of `amount`", examples=["stamps"])
    amount: int = Field(description="how many this purchase earned", examples=[2])
    balance: int = Field(description="on the open card now; negative is a debt", examples=[5])
    size: int = Field(description="how many fill the card", examples=[10])
    filled: int = Field(description="how many cards it filled")
    rule: str = Field(description="the short name of the rule that gave most", examples=["per-euros"])
    reason: str = Field(description="reason code, empty when all of it was earned")
    sentence: str = Field(description="the reason for people")


class IssuedOut(Out):
    """A coupon that this purchase earned."""

    id: str = Field(description="names the coupon, does not redeem it", examples=[AN_ID])
    title: str = Field(description="what it is for, for people", examples=["Free coffee"])
    expires_at: AwareDatetime = Field(description="usable until then", examples=[A_MOMENT])


class PurchaseOut(Out):
    """A booked purchase."""

    purchase: str = Field(description="names the purchase, for POST /refunds", examples=[AN_ID])
    awards: list[AwardOut] = Field(description="one of each program")
    coupons_issued: list[IssuedOut] = Field(description="of the cards that it filled")
    coupons_redeemed: list[IssuedOut] = Field(description="used with this purchase")
    amount_due_cents: int = Field(description="what was to pay; it is what earns", examples=[1290])


class RefundIn(In):
    """A whole purchase to take back: by its id, or by till, receipt and local date."""

    model_config = ConfigDict(json_schema_extra=_one_of(("purchase",), ("till", "receipt", "local_date")))

    purchase: PublicId | None = Field(None, description="from POST /purchases", examples=[AN_ID])
    till: PublicId | None = Field(None, description="the till that sold, of this outlet")
    receipt: Receipt | None = Field(None, description="the receipt's number")
    local_date: Day | None = Field(None, description="the day of the sale where the shop is")

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
    """A booked refund; a repeat answers as the first did."""

    refund: str = Field(description="names the refund", examples=[AN_ID])
    purchase: str = Field(description="the purchase that was taken back", examples=[AN_ID])
    amount_cents: int = Field(description="what the purchase had cost", examples=[1290])
    reversed: list[ReversedOut] = Field(description="one of each program that lost something")
    coupons_returned: int = Field(description="coupons used on it that can be used again", examples=[0])
    repeated: bool = Field(description="whether it had been taken back before")
