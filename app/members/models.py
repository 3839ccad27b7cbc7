"""Tables of the register."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import Base, BrandOwned, UtcDateTime, brand_table, points_to, pub

MEMBER_STATES = ("provisional", "confirmed", "merged", "erased")
CHANNELS = ("email", "sms", "push", "wallet")


class Member(BrandOwned, Base):
    """A person or company in the brand's register.

    Provisional until a contact is confirmed. A merged member points to the one it became. Its codes stay its own, with
    its TOTP secret and step, so that a card saved before the merge still works: `lookup.find_by_code` follows them.
    """

    __tablename__ = "member"
    __table_args__ = brand_table(
        points_to("merged_into_id", "member"),
        points_to("outlet_id", "outlet"),
        Index("ix_member_joined", "brand_id", "joined_at"),
        Index("ix_member_merged", "brand_id", "merged_into_id"),
        Index("ix_member_birth_month", "brand_id", "birth_month"),
    )

    public_id: Mapped[str] = pub()
    state: Mapped[str] = mapped_column(String(12), default="provisional", info={"personal": "none"})
    kind: Mapped[str] = mapped_column(String(8), default="person", info={"personal": "none"})  # person, company
    merged_into_id: Mapped[int | None]
    first_name: Mapped[str | None] = mapped_column(String(60), info={"personal": "erase"})
    last_name: Mapped[str | None] = mapped_column(String(60), info={"personal": "erase"})
    language: Mapped[str] = mapped_column(String(2), default="fi", info={"personal": "none"})
    postcode: Mapped[str | None] = mapped_column(String(10), info={"personal": "erase"})
    birth_month: Mapped[int | None]
    source: Mapped[str] = mapped_column(
        String(20), default="web", info={"personal": "none"}
    )  # web, poster, outlet, till…
    outlet_id: Mapped[int | None]  # where it was signed up, when known
    joined_at: Mapped[datetime] = mapped_column(UtcDateTime)
    age_confirmed: Mapped[bool] = mapped_column(default=False)
    terms_id: Mapped[int | None]  # the wording of the terms accepted on joining
    privacy_id: Mapped[int | None]  # the privacy notice shown on joining
    totp_secret: Mapped[bytes] = mapped_column(info={"personal": "erase"})  # encrypted; 20 bytes inside
    totp_step: Mapped[int] = mapped_column(default=0)  # the last step a till used up


class MemberCode(BrandOwned, Base):
    """The codes that name a member: 16 symbols (80 bits) in the QR, 8 to say aloud. Both outlive a merge."""

    __tablename__ = "member_code"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "code"), UniqueConstraint("brand_id", "spoken"), points_to("member_id", "member")
    )

    member_id: Mapped[int] = mapped_column(index=True)
    code: Mapped[str] = mapped_column(String(16), info={"personal": "erase"})
    spoken: Mapped[str] = mapped_column(String(8), info={"personal": "erase"})
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Contact(BrandOwned, Base):
    """An email address or phone number, normalized. Unique in the brand only once it is confirmed."""

    __tablename__ = "contact"
    __table_args__ = brand_table(
        CheckConstraint("kind IN ('email', 'phone')", name="kind"),
        Index(
            "uq_contact_confirmed", "brand_id", "kind", "value", unique=True,
            sqlite_where=text("confirmed_at IS NOT NULL"), postgresql_where=text("confirmed_at IS NOT NULL"),
        ),
        Index(
            "ix_contact_waiting", "brand_id", "kind", "value",
            sqlite_where=text("confirmed_at IS NULL"), postgresql_where=text("confirmed_at IS NULL"),
        ),
        UniqueConstraint("brand_id", "member_id", "kind", "value"),
        points_to("member_id", "member"),
    )  # fmt: skip

    public_id: Mapped[str] = pub()
    member_id: Mapped[int] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(5), info={"personal": "none"})
    value: Mapped[str] = mapped_column(String(254), info={"personal": "erase"})
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Wording(BrandOwned, Base):
    """A version of a text that people agree to or are shown: terms, privacy notice, a consent's sentence."""

    __tablename__ = "wording"
    __table_args__ = brand_table(UniqueConstraint("brand_id", "kind", "language", "version"))

    public_id: Mapped[str] = pub()
    kind: Mapped[str] = mapped_column(
        String(40), info={"personal": "none"}
    )  # terms, privacy, consent.email.marketing …
    language: Mapped[str] = mapped_column(String(2), info={"personal": "none"})
    version: Mapped[int]
    text: Mapped[str] = mapped_column(Text, info={"personal": "none"})
    sha256: Mapped[str] = mapped_column(String(64), info={"personal": "none"})
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class ConsentEvent(BrandOwned, Base):
    """One change of a consent. Append-only: the newest of a (member, channel, purpose) is what holds."""

    __tablename__ = "consent_event"
    __table_args__ = brand_table(
        points_to("member_id", "member"),
        points_to("wording_id", "wording"),
        points_to("outlet_id", "outlet"),
        Index("ix_consent_newest", "brand_id", "member_id", "channel", "purpose", "id"),
        append_only=True,
    )

    member_id: Mapped[int]
    channel: Mapped[str] = mapped_column(String(8), info={"personal": "none"})  # email, sms, push, wallet
    purpose: Mapped[str] = mapped_column(String(12), default="marketing", info={"personal": "none"})
    state: Mapped[str] = mapped_column(
        String(10), info={"personal": "none"}
    )  # pending granted refused withdrawn renewed
    wording_id: Mapped[int | None]
    wording_sha256: Mapped[str | None] = mapped_column(String(64), info={"personal": "none"})
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    source: Mapped[str] = mapped_column(String(20), info={"personal": "none"})  # web, poster, outlet, profile, till …
    method: Mapped[str] = mapped_column(
        String(20), info={"personal": "none"}
    )  # tick, double_opt_in, subscribed, absorbed
    outlet_id: Mapped[int | None]
    staff_id: Mapped[int | None]


class ContactCode(BrandOwned, Base):
    """A code of 6 digits, and the link beside it, to prove a contact: 10 minutes, 5 tries, the asking browser only."""

    __tablename__ = "contact_code"
    __table_args__ = brand_table(
        points_to("member_id", "member"), Index("ix_contact_code_browser", "brand_id", "browser_hash")
    )

    public_id: Mapped[str] = pub()
    purpose: Mapped[str] = mapped_column(String(8), info={"personal": "none"})  # confirm, sign_in
    member_id: Mapped[int | None]  # who confirms; null for a sign-in with an unknown contact, which no code can pass
    kind: Mapped[str] = mapped_column(String(5), info={"personal": "none"})
    contact: Mapped[bytes] = mapped_column(info={"personal": "erase"})  # encrypted, normalized
    contact_hash: Mapped[str] = mapped_column(String(64), index=True, info={"personal": "erase"})
    code: Mapped[bytes] = mapped_column(info={"personal": "erase"})  # encrypted until it is sent and compared
    link_hash: Mapped[str] = mapped_column(String(64), unique=True, info={"personal": "erase"})
    link: Mapped[bytes] = mapped_column(info={"personal": "erase"})  # encrypted token of the link
    # Of the asking browser's cookie; empty when no browser asked (a till): then only the link works.
    browser_hash: Mapped[str] = mapped_column(String(64), info={"personal": "erase"})
    language: Mapped[str] = mapped_column(String(2), default="en", info={"personal": "none"})  # of the message
    tries: Mapped[int] = mapped_column(default=0)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Scan(BrandOwned, Base):
    """One reading of a member's code at a till: for 5 minutes, for this till only."""

    __tablename__ = "scan"
    __table_args__ = brand_table(points_to("member_id", "member"), points_to("till_id", "till"))

    public_id: Mapped[str] = pub()
    member_id: Mapped[int] = mapped_column(index=True)
    till_id: Mapped[int]
    may_redeem: Mapped[bool] = mapped_column(default=False)
    method: Mapped[str] = mapped_column(String(8), info={"personal": "none"})  # rotating, static, spoken
    note: Mapped[str | None] = mapped_column(String(12), info={"personal": "none"})  # why not: code_used, code_stale
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ScanConfirmation(BrandOwned, Base):
    """A till's question whether a scan may redeem, answered once on the member's phone. A refused one may be followed.

    It lives as long as its scan.
    """

    __tablename__ = "scan_confirmation"
    __table_args__ = brand_table(
        points_to("scan_id", "scan"),
        points_to("member_id", "member"),
        CheckConstraint("state IN ('asked', 'allowed', 'refused')", name="state"),
        CheckConstraint("(state = 'asked') = (answered_at IS NULL)", name="answered"),
        Index(
            "uq_scan_confirmation_standing", "brand_id", "scan_id", unique=True,
            sqlite_where=text("state <> 'refused'"), postgresql_where=text("state <> 'refused'"),
        ),
        Index("ix_scan_confirmation_member", "member_id", "brand_id", "ends_at"),
    )  # fmt: skip

    public_id: Mapped[str] = pub()
    scan_id: Mapped[int]
    member_id: Mapped[int]  # whose code was scanned
    state: Mapped[str] = mapped_column(String(8), default="asked", info={"personal": "none"})
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)  # the scan's
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
