"""What the till API takes and answers about gift cards that are sold, as `schemas` does about all else."""

from pydantic import AwareDatetime, ConfigDict, Field, model_validator

from app.doors.api.sale_schemas import Some
from app.doors.api.schemas import A_MOMENT, AN_ID, BY_ID, In, Moment, OfMemberIn, Out, PublicId, Receipt, Slug, one_of


class GiftCardSaleIn(OfMemberIn):
    """A gift card that is sold. `scan` or `member` where it is a member's own; neither for who holds its code."""

    model_config = ConfigDict(json_schema_extra=one_of(("scan",), ("member",), ()))

    reward: Slug = Field(description="short name of the gift card in the brand's rewards", examples=["gift-card"])
    value_cents: Some = Field(description="what is loaded, which is what the till took in", examples=[5000])
    receipt: Receipt = Field(description="the receipt's number, once for a till and day", examples=["1041"])
    occurred_at: Moment = Field(description="at most 5 minutes ahead, 30 days back", examples=[A_MOMENT])
    cashier: PublicId | None = Field(None, description=f"who sold, {BY_ID}")

    @model_validator(mode="after")
    def _one(self) -> "GiftCardSaleIn":
        if self.scan is not None and self.member is not None:
            raise ValueError("give scan or member, not both")
        return self


class GiftCardSaleOut(Out):
    """A gift card that was sold."""

    gift_card: str = Field(description="names it, does not pay", examples=[AN_ID])
    code: str | None = Field(description="pays; to be printed. Null where a member has it", examples=["7K3M9QXV2HRT2"])
    value_cents: int = Field(description="what is on it", examples=[5000])
    expires_at: AwareDatetime | None = Field(description="usable until then; null is for ever", examples=[A_MOMENT])


class GiftCardRefundIn(In):
    """Nothing: the address names what is taken back."""


class GiftCardRefundOut(Out):
    """A gift card that was taken back unused."""

    gift_card: str = Field(description="names it", examples=[AN_ID])
    value_cents: int = Field(description="what the customer gets back", examples=[5000])
    repeated: bool = Field(description="whether it had been taken back before")
