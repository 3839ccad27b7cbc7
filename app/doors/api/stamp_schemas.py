"""What the till API takes and answers about stamps without a purchase, as `schemas` does about all else."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from app.doors.api.sale_schemas import IssuedGiftCardOut, IssuedOut
from app.doors.api.schemas import AN_ID, BY_ID, ApprovalIn, OfMemberIn, Out, PublicId, _counted

Count = Annotated[int, Field(ge=1, le=300), BeforeValidator(_counted)]
Slug = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z0-9-]+$")]


class _ByHandIn(OfMemberIn):
    program: Slug = Field(description="short name of the program", examples=["coffee"])
    cashier: PublicId = Field(description=f"who does it, {BY_ID}", examples=[AN_ID])


class StampIn(_ByHandIn):
    """Stamps without a purchase. `scan` or `member`, not both."""

    amount: Count = Field(1, description="how many", examples=[1])
    reason: Literal["forgotten_card", "till_down", "goodwill", "correction", "other"] = Field(
        description="why there is no purchase", examples=["forgotten_card"]
    )
    approval: ApprovalIn | None = Field(None, description="what a till gets by asking a manager after needs_approval")


class StampOut(Out):
    """Stamps given by hand; `reason` says why it was nothing."""

    stamp: str = Field(description="names what was given", examples=[AN_ID])
    program: str = Field(description="short name of the program", examples=["coffee"])
    unit: str = Field(description="what is collected, in the number of `amount`", examples=["stamp"])
    amount: int = Field(description="how many were given", examples=[1])
    balance: int = Field(description="on the open card now; negative is a debt", examples=[5])
    size: int = Field(description="how many fill the card", examples=[10])
    filled: int = Field(description="how many cards they filled", examples=[0])
    reason: str = Field(description="reason code of the limit, empty when all were given")
    sentence: str = Field(description="the reason for people")
    coupons_issued: list[IssuedOut] = Field(description="of the cards that they filled")
    gift_cards_issued: list[IssuedGiftCardOut] = Field(description="the same, where the reward is a gift card")


class CardboardIn(_ByHandIn):
    """A cardboard card to move over. `scan` or `member`, not both."""

    stamps: Count = Field(description="how many are on it", examples=[7])
    approval: ApprovalIn = Field(description="a manager has seen the card")
