"""Tables of wallet passes: what exists, on which phones, what the phones still have to hear."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import Base, BrandOwned, UtcDateTime, brand_table, points_to, pub

KINDS = ("apple", "google")


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class WalletPass(BrandOwned, Base):
    """One member's card of one program, or one coupon, in one of the wallets.

    Made by the first download and never again: every phone of the member gets the same serial and token. It stays
    with its member after a merge, as the member's codes do; who it shows is found by `members.lookup.live`.
    `version` comes from the brand's `WalletCounter` when what it shows has changed, `fingerprint` is the hash of that.
    """

    __tablename__ = "wallet_pass"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "member_id", "program_id", "kind"),
        UniqueConstraint("brand_id", "coupon_id", "kind"),
        points_to("member_id", "member"),
        points_to("program_id", "program"),
        points_to("coupon_id", "coupon"),
        CheckConstraint("kind IN ('apple', 'google')", name="kind"),
        CheckConstraint("(kind = 'apple') = (token IS NOT NULL)", name="token_fits"),
        CheckConstraint("(token IS NULL) = (token_hash IS NULL)", name="token_hash_fits"),
        CheckConstraint("(program_id IS NULL) <> (coupon_id IS NULL)", name="shows_one_thing"),
        Index("ix_wallet_pass_due", "brand_id", **_where("kind = 'google' AND version > synced")),
    )

    member_id: Mapped[int]
    program_id: Mapped[int | None]  # of a card
    coupon_id: Mapped[int | None]  # of a coupon
    kind: Mapped[str] = mapped_column(String(6), info={"personal": "none"})
    serial: Mapped[str] = pub()  # Apple's serial number; the object's name at Google
    # What a phone proves itself with at Apple's web service: 192 bits, sealed, found by its hash; Google needs none.
    token: Mapped[bytes | None] = mapped_column(info={"personal": "erase"})
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True, info={"personal": "erase"})
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_modified: Mapped[datetime] = mapped_column(UtcDateTime)  # whole seconds; strictly increases with `fingerprint`
    version: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    fingerprint: Mapped[str] = mapped_column(String(64), default="", server_default="", info={"personal": "none"})
    pass_type: Mapped[str | None] = mapped_column(String(120), info={"personal": "none"})  # Apple's, as signed last
    served_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when a phone or Google last took what it shows
    # The rest is Google's alone; Apple's phones stand in `WalletRegistration`.
    synced: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")  # the version that Google has
    sending_until: Mapped[datetime | None] = mapped_column(UtcDateTime)  # a worker is at it
    asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when the member last pressed the button
    added_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # Google said that somebody has it
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # Google said that nobody has it
    saves: Mapped[int] = mapped_column(default=0, server_default="0")
    removals: Mapped[int] = mapped_column(default=0, server_default="0")
    notified: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]", info={"personal": "none"})


class WalletCounter(BrandOwned, Base):
    """The brand's counter of changes. Its row lock makes the order of numbers the order of commits, on PostgreSQL too.

    `epoch` is part of every tag that phones keep: a restored database gets a new one, and old tags count as none.
    """

    __tablename__ = "wallet_counter"
    __table_args__ = brand_table(UniqueConstraint("brand_id"))

    epoch: Mapped[str] = mapped_column(String(8), info={"personal": "none"})
    n: Mapped[int] = mapped_column(BigInteger)


class WalletDevice(BrandOwned, Base):
    """A phone with passes of one type, and where it is woken. Its own id opens its list, so it is kept as a hash.

    `due` is the newest version that it has to hear of, `woken` the newest that Apple took a wake-up for.
    """

    __tablename__ = "wallet_device"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "device_hash", "pass_type"),
        Index("ix_wallet_device_due", "brand_id", **_where("due > woken")),
    )

    device_hash: Mapped[str] = mapped_column(String(64), info={"personal": "erase"})
    pass_type: Mapped[str] = mapped_column(String(120), info={"personal": "none"})
    push_token: Mapped[bytes] = mapped_column(info={"personal": "erase"})  # sealed; opaque text of any length
    push_token_hash: Mapped[str] = mapped_column(String(64), info={"personal": "erase"})
    token_at: Mapped[datetime] = mapped_column(UtcDateTime)  # when the phone last gave it
    due: Mapped[int] = mapped_column(BigInteger, default=0)
    woken: Mapped[int] = mapped_column(BigInteger, default=0)
    woken_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sending_until: Mapped[datetime | None] = mapped_column(UtcDateTime)  # a worker is at it


class WalletRegistration(BrandOwned, Base):
    """A pass on a phone. `version` makes a phone look at once at what changed between download and registration."""

    __tablename__ = "wallet_registration"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "device_id", "pass_id"),
        points_to("device_id", "wallet_device"),
        points_to("pass_id", "wallet_pass"),
        Index("ix_wallet_registration_pass", "brand_id", "pass_id"),
    )

    device_id: Mapped[int]
    pass_id: Mapped[int]
    version: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class WalletChannel(BrandOwned, Base):
    """How a brand's way to Apple or Google is: `paused_until` stops all sending, `fault` says why."""

    __tablename__ = "wallet_channel"
    __table_args__ = brand_table(UniqueConstraint("brand_id", "kind"))

    kind: Mapped[str] = mapped_column(String(6), info={"personal": "none"})
    paused_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failures: Mapped[int] = mapped_column(default=0)  # in a row
    fault: Mapped[str] = mapped_column(String(60), default="", info={"personal": "none"})  # a code of ours
    fault_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    worked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class WalletClass(BrandOwned, Base):
    """A class at Google: the look that all objects of a program or reward share; kept up to date by REST."""

    __tablename__ = "wallet_class"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "program_id"),
        UniqueConstraint("brand_id", "reward_id"),
        points_to("program_id", "program"),
        points_to("reward_id", "reward"),
        CheckConstraint("(program_id IS NULL) <> (reward_id IS NULL)", name="shows_one_thing"),
    )

    program_id: Mapped[int | None]
    reward_id: Mapped[int | None]
    name: Mapped[str] = mapped_column(String(60), info={"personal": "none"})  # after the issuer's id and a point
    issuer_id: Mapped[str] = mapped_column(String(30), info={"personal": "none"})  # another issuer knows nothing of it
    fingerprint: Mapped[str] = mapped_column(String(64), default="", info={"personal": "none"})  # of what Google has
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class WalletNonce(BrandOwned, Base):
    """A callback of Google's that was taken: its nonce counts once."""

    __tablename__ = "wallet_nonce"
    __table_args__ = brand_table(UniqueConstraint("brand_id", "nonce_hash"), Index("ix_wallet_nonce_ends", "ends_at"))

    nonce_hash: Mapped[str] = mapped_column(String(64), info={"personal": "none"})
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)  # after it the callback is too old anyway


class WalletCredential(BrandOwned, Base):
    """A brand's own certificate for Apple, or service account for Google: sealed, read again when `digest` changes."""

    __tablename__ = "wallet_credential"
    __table_args__ = brand_table(UniqueConstraint("brand_id", "kind"))

    kind: Mapped[str] = mapped_column(String(6), info={"personal": "none"})
    sealed: Mapped[bytes] = mapped_column(info={"personal": "none"})  # JSON of PEM texts, or the account's JSON
    digest: Mapped[str] = mapped_column(String(64), info={"personal": "none"})
    names: Mapped[dict[str, str]] = mapped_column(JSON, info={"personal": "none"})  # pass type and team, or issuer
    imported_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class WalletTemplate(BrandOwned, Base):
    """A brand's own template in place of Leima's: the files of its folder stand in `WalletTemplateFile`."""

    __tablename__ = "wallet_template"
    __table_args__ = brand_table(UniqueConstraint("brand_id", "name"))

    name: Mapped[str] = mapped_column(String(40), info={"personal": "none"})  # stamp-card, bonus-card, coupon …
    digest: Mapped[str] = mapped_column(String(64), info={"personal": "none"})
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class WalletTemplateFile(BrandOwned, Base):
    """One file of a brand's own template; pictures were decoded and written anew."""

    __tablename__ = "wallet_template_file"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "template_id", "path"), points_to("template_id", "wallet_template")
    )

    template_id: Mapped[int]
    path: Mapped[str] = mapped_column(String(80), info={"personal": "none"})
    data: Mapped[bytes] = mapped_column(info={"personal": "none"})


class WalletMessage(BrandOwned, Base):
    """A message on one card: service or marketing. It ends in one named state; Apple shows it, Google is sent it."""

    __tablename__ = "wallet_message"
    __table_args__ = brand_table(
        points_to("pass_id", "wallet_pass"), Index("ix_wallet_message_pass", "brand_id", "pass_id")
    )

    public_id: Mapped[str] = pub()
    pass_id: Mapped[int]
    purpose: Mapped[str] = mapped_column(String(9), info={"personal": "none"})  # service, marketing
    header: Mapped[str] = mapped_column(String(60), info={"personal": "erase"})
    body: Mapped[str] = mapped_column(Text, info={"personal": "erase"})
    state: Mapped[str] = mapped_column(String(24), default="queued", info={"personal": "none"})
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)  # until then the card shows it
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # sent, failed or skipped


class WalletNews(BrandOwned, Base):
    """Service news of a brand that every card shows for a while: opening hours, an outage. Never advertising."""

    __tablename__ = "wallet_news"
    __table_args__ = brand_table(points_to("staff_id", "staff"))

    public_id: Mapped[str] = pub()
    header: Mapped[dict[str, str]] = mapped_column(JSON, info={"personal": "none"})  # language → text
    body: Mapped[dict[str, str]] = mapped_column(JSON, info={"personal": "none"})
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    staff_id: Mapped[int | None]
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # to Google's classes


class WalletFault(BrandOwned, Base):
    """What phones reported and what providers refused, counted by day: codes of ours, never their words."""

    __tablename__ = "wallet_fault"
    __table_args__ = brand_table(UniqueConstraint("brand_id", "day", "code"))

    day: Mapped[date]
    code: Mapped[str] = mapped_column(String(60), info={"personal": "none"})
    n: Mapped[int]
