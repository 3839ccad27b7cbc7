"""What the till API takes and answers about serial cards, as `schemas` does about all else."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BeforeValidator, Field

from app.doors.api.schemas import (
    A_MOMENT,
    AN_ID,
    BY_ID,
    Cents,
    In,
    Moment,
    OfMemberIn,
    Out,
    PublicId,
    Receipt,
    Slug,
    _counted,
)

Uses = Annotated[int, Field(ge=1, le=1000), BeforeValidator(_counted)]


class SerialSaleIn(OfMemberIn):
    """A serial card that is sold. `scan` or `member`, not both."""

    program: Slug = Field(description="short name of the program", examples=["ten-lunches"])
    price_cents: Cents = Field(description="what the till took in for it; must be its price", examples=[9000])
    receipt: Receipt = Field(description="the receipt's number, once for a till and day", examples=["1041"])
    occurred_at: Moment = Field(description="at most 5 minutes ahead, 30 days back", examples=[A_MOMENT])
    cashier: PublicId | None = Field(None, description=f"who sold, {BY_ID}")


class SerialSaleOut(Out):
    """A card that was sold."""

    serial_card: str = Field(description="names the card", examples=[AN_ID])
    program: str = Field(description="short name of the program", examples=["ten-lunches"])
    uses: int = Field(description="how many it holds", examples=[10])
    balance: int = Field(description="how many the member has in this program now", examples=[10])
    expires_at: AwareDatetime = Field(description="usable until then", examples=[A_MOMENT])


class SerialUsesIn(In):
    """Uses of a member's serial cards."""

    scan: PublicId = Field(description="from POST /scans, of this till; one that may redeem", examples=[AN_ID])
    program: Slug = Field(description="short name of the program", examples=["ten-lunches"])
    uses: Uses = Field(1, description="how many", examples=[2])


class SerialUseOut(Out):
    """Uses of one card."""

    use: str = Field(description="names them, to take them back", examples=[AN_ID])
    serial_card: str = Field(description="the card that they came from", examples=[AN_ID])
    uses: int = Field(description="how many", examples=[2])
    settlement_cents: int = Field(description="what the brand pays the outlet for them", examples=[1800])
    left: int = Field(description="how many are left on this card", examples=[8])
    credit_cents: int = Field(description="what the card gave back for its speed, with its last use", examples=[0])
    credit_to: Literal["bonus", "gift_card"] | None = Field(None, description="where that went")


class SerialUsesOut(Out):
    """What was used: the card that ends soonest first."""

    uses: list[SerialUseOut] = Field(description="one of each card")
    balance: int = Field(description="how many the member has left in this program", examples=[8])


class SerialReversalIn(In):
    """Nothing: the address names what is taken back."""


class SerialReversalOut(Out):
    """Uses that the member has again."""

    use: str = Field(description="names the uses that were taken back", examples=[AN_ID])
    serial_card: str = Field(description="the card that has them again", examples=[AN_ID])
    uses: int = Field(description="how many", examples=[2])
    balance: int = Field(description="how many the member has in this program now", examples=[10])
    credit_taken_cents: int = Field(description="credit for speed that was taken back with them", examples=[0])
    expires_at: AwareDatetime = Field(description="usable until then", examples=[A_MOMENT])
    repeated: bool = Field(description="whether they had been taken back before")


class SerialRefundOut(Out):
    """A card that was taken back unused."""

    serial_card: str = Field(description="names the card", examples=[AN_ID])
    price_cents: int = Field(description="what the customer gets back", examples=[9000])
    repeated: bool = Field(description="whether it had been taken back before")
