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
Slug = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z0-9-]+$")]
Code = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f]+$")]
Moment = Annotated[AwareDatetime, BeforeValidator(_written)]
Day = Annotated[date, BeforeValidator(_written)]
PublicId = Annotated[str, Field(min_length=26, max_length=26, pattern=r"^[0-9A-Z]{26}$")]
Receipt = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f]*[^\x00-\x20][^\x00-\x1f]*$")]
Text = Annotated[str, Field(min_length=1, max_length=400, pattern=r"^[^\x00]+$")]

AN_ID = "01K8Q3ZV5T7M2XN4RWBYHDGJCE"  # what ids and moments look like, for the document
A_MOMENT = "2026-03-02T09:00:00+02:00"
BY_ID = "by the id on the console’s page “Outlets and people”"


class In(BaseModel):
    """A request body: no unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Out(BaseModel):
    """An answer."""

    model_config = ConfigDict(extra="forbid")


def one_of(*ways: tuple[str, ...]) -> dict[str, Any]:
    """Say in the document what a validator checks: the fields of exactly one way are given, those of the others not."""
    every = {name for way in ways for name in way}
    given, absent = {"not": {"type": "null"}}, {"type": "null"}
    return {
        "oneOf": [
            {"required": list(way), "properties": {name: given if name in way else absent for name in sorted(every)}}
            for way in ways
        ]
    }


class OfMemberIn(In):
    """A call about one member. `scan` or `member`, not both."""

    model_config = ConfigDict(json_schema_extra=one_of(("scan",), ("member",)))

    scan: PublicId | None = Field(None, description="from POST /scans or /members, of this till", examples=[AN_ID])
    member: Text | None = Field(None, description="member's code, where the till kept no scan")

    @model_validator(mode="after")
    def _one(self) -> "OfMemberIn":
        if (self.scan is None) == (self.member is None):
            raise ValueError("give scan or member, not both")
        return self


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


class MemberPriceOut(Out):
    """A member price that holds here and now; a line of a purchase names it as `offer`."""

    offer: str = Field(description="short name of the member price", examples=["bun-monday"])
    title: str = Field(description="its name, for people", examples=["Bun of the day"])
    price_cents: int | None = Field(description="what one item costs a member; null where it is a percentage")
    percent_bp: int | None = Field(description="what is taken off the normal price, in basis points", examples=[1000])
    skus: list[str] = Field(description="goods that have it; skus and groups both empty are all goods")
    groups: list[str] = Field(description="groups of goods that have it")
    left: int | None = Field(description="how many items more today; null is as many as they like", examples=[2])


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
    confirmation: Literal["asked", "allowed", "refused"] | None = Field(
        description="what became of the question in the member's app; null where none was asked", examples=["asked"]
    )
    expires_at: AwareDatetime = Field(description="the scan's end", examples=[A_MOMENT])
    cards: list[CardOut] = Field(description="one of each program")
    coupons: list[CouponOut] = Field(description="those that can be used now")
    member_prices: list[MemberPriceOut] = Field(description="those that hold here and now")
    standing_discount_bp: int = Field(
        description="the member's standing discount in basis points; the till gives it", examples=[500]
    )


class ConfirmationIn(In):
    """Nothing: the address names the scan."""


class ConfirmationOut(Out):
    """A question in the member's app. `GET /scans/{scan}` tells the answer; a refused one may be asked anew."""

    scan: str = Field(description="the scan that may redeem once it is allowed", examples=[AN_ID])
    confirmation: Literal["asked", "allowed", "refused"] = Field(description="what became of it", examples=["asked"])
    asked_at: AwareDatetime = Field(description="when it was asked", examples=[A_MOMENT])
    expires_at: AwareDatetime = Field(description="the end of the scan and of the question", examples=[A_MOMENT])


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

    staff: PublicId = Field(description=f"the manager, {BY_ID}", examples=[AN_ID])
    pin: str = Field(description="the manager's PIN, 4 to 6 digits", pattern=r"^[0-9]{4,6}$", examples=["4711"])
