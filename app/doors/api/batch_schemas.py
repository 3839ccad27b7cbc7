"""What the till API takes and answers about batches of an offline till."""

from typing import Annotated, Any

from pydantic import Field

from app.core.errors import Invalid
from app.doors.api.schemas import A_MOMENT, In, Moment, Out

MOST = 500


class CallUnknown(Invalid):
    """An event of a batch is none of the calls that an offline till can make."""

    code = "call_unknown"


class EventInvalid(Invalid):
    """The body of an event has not the form of its call."""

    code = "invalid"


class EventIn(In):
    """One call that the till would have made."""

    key: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[!-~]+$")] = Field(
        description="the event's own Idempotency-Key, the one of the call if it was tried", examples=["till-3-000174"]
    )
    occurred_at: Moment = Field(description="when it happened; events are booked in this order", examples=[A_MOMENT])
    call: Annotated[str, Field(min_length=1, max_length=120)] = Field(
        description="/purchases, /refunds, /stamps, /coupons/{code}/redemptions, /redemptions/{id}/reversals or"
        " /serial-cards/uses; a scan from before the line broke counts for what happened within its 5 minutes",
        examples=["/purchases"],
    )
    body: dict[str, Any] = Field(description="the body of that call; a purchase may leave occurred_at out")


class BatchIn(In):
    """What a till did while it was offline."""

    events: list[EventIn] = Field(min_length=1, max_length=MOST, description="in any order, a repeat is harmless")


class ResultOut(Out):
    """What became of one event."""

    key: str = Field(description="the event's key", examples=["till-3-000174"])
    status: int = Field(description="the HTTP status of its call", examples=[201])
    replayed: bool = Field(description="whether the event had been booked before")
    answer: dict[str, Any] | None = Field(description="the answer of its call, where it was booked")
    problem: dict[str, Any] | None = Field(description="the refusal of its call, where it was refused")


class BatchOut(Out):
    """One result for each event, in the order in which they were sent."""

    results: list[ResultOut] = Field(description="429 and 503 among them may be sent again with the same batch")
