"""Tables of wallet passes."""

from datetime import datetime

from sqlalchemy import CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import Base, BrandOwned, UtcDateTime, brand_table, points_to, pub

KINDS = ("apple", "google")


class WalletPass(BrandOwned, Base):
    """One member's card of one program in one of the wallets.

    Made by the first download and never again: every phone of the member gets the same serial and token. It stays
    with its member after a merge, as the member's codes do; who it shows is found by `members.lookup.live`.
    """

    __tablename__ = "wallet_pass"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "member_id", "program_id", "kind"),
        points_to("member_id", "member"),
        points_to("program_id", "program"),
        CheckConstraint("kind IN ('apple', 'google')", name="kind"),
        CheckConstraint("(kind = 'apple') = (token IS NOT NULL)", name="token_fits"),
        CheckConstraint("(token IS NULL) = (token_hash IS NULL)", name="token_hash_fits"),
    )

    member_id: Mapped[int]
    program_id: Mapped[int]
    kind: Mapped[str] = mapped_column(String(6), info={"personal": "none"})
    serial: Mapped[str] = pub()  # Apple's serial number; the object's name at Google
    # What a phone proves itself with at Apple's web service: 192 bits, sealed, found by its hash; Google needs none.
    token: Mapped[bytes | None] = mapped_column(info={"personal": "erase"})
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True, info={"personal": "erase"})
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_modified: Mapped[datetime] = mapped_column(UtcDateTime)  # of what the pass shows, as far as phones were told
