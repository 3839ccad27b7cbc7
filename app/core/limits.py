"""The table behind `Database.count`: tries that outlive the refusals they cause."""

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import Base


class Counter(Base):
    """Tries under one key until a moment; the key is a hash, since it may hold an address or a contact."""

    __tablename__ = "counter"
    __table_args__ = ({"info": {"no_brand": "keys are hashes over brand, contact or address"}},)

    key: Mapped[str] = mapped_column(String(64), primary_key=True, info={"personal": "none"})
    until: Mapped[int] = mapped_column(BigInteger)  # Unix seconds
    n: Mapped[int]
