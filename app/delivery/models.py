"""Tables of what leaves the house."""

from datetime import datetime

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import Base, BrandOwned, UtcDateTime, brand_table, points_to, pub


class PushSubscription(BrandOwned, Base):
    """A browser that may be pushed to. The endpoint is a secret address: sealed, found by its hash."""

    __tablename__ = "push_subscription"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "endpoint_hash"),
        points_to("member_id", "member"),
        Index("ix_push_subscription_member", "brand_id", "member_id"),
    )

    public_id: Mapped[str] = pub()
    member_id: Mapped[int]
    # The log-in of the browser: without it nothing is pushed. An upward reference, so the code drops the row by hand.
    login_id: Mapped[int | None] = mapped_column(index=True)
    endpoint: Mapped[bytes] = mapped_column(info={"personal": "erase"})  # sealed
    endpoint_hash: Mapped[str] = mapped_column(String(64), info={"personal": "erase"})
    p256dh: Mapped[str] = mapped_column(String(100), info={"personal": "erase"})
    auth: Mapped[str] = mapped_column(String(40), info={"personal": "erase"})
    simulated: Mapped[bool] = mapped_column(
        default=False
    )  # the demo's phone, where the browser reaches no push service
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    failed: Mapped[int] = mapped_column(default=0)  # refusals in a row since the last success


class Message(BrandOwned, Base):
    """One message and its one state. What it says stays out of here; a code's text is made when it is sent."""

    __tablename__ = "message"
    __table_args__ = brand_table(
        points_to("member_id", "member"),
        Index("ix_message_member", "brand_id", "member_id"),
        UniqueConstraint("brand_id", "dedupe"),
    )

    public_id: Mapped[str] = pub()
    member_id: Mapped[int | None]
    channel: Mapped[str] = mapped_column(String(6), info={"personal": "none"})  # email, sms, push
    kind: Mapped[str] = mapped_column(
        String(20), info={"personal": "none"}
    )  # code, stamp, coupon …: all service messages
    # sending, retry; at the end sent, failed, expired, uncertain, skipped:<reason>
    state: Mapped[str] = mapped_column(String(30), info={"personal": "none"})
    dedupe: Mapped[str] = mapped_column(String(80), info={"personal": "none"})  # what it is about: never sent twice
    subscription_id: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    detail: Mapped[str] = mapped_column(
        Text, default="", info={"personal": "none"}
    )  # the provider's code, no text of ours
