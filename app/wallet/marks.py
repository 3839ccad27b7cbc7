"""Which passes show something else than before: they get a new version, and their phones have to hear of it.

The version comes from a counter of the brand in the transaction that marks. Its row stays locked until the commit, so
the order of versions is the order of commits on both databases: whoever reads a version has seen all lower ones.
Source: wallet.md, "Apple's web service".
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock, i18n
from app.core.crypto import random_symbols
from app.core.db import brand_of, inserting
from app.core.events import emit
from app.core.runtime import Runtime
from app.members import lookup
from app.members.models import Member
from app.wallet import coupons
from app.wallet.events import ObjectsDue
from app.wallet.models import WalletCounter, WalletDevice, WalletPass, WalletRegistration
from app.wallet.shown import Reader, Shown

EPOCH = 8  # symbols


@dataclass(frozen=True)
class Version:
    """A number of the brand's counter; `tag` is how phones keep it."""

    epoch: str
    n: int

    @property
    def tag(self) -> str:
        """Return the opaque text that a phone sends back."""
        return f"{self.epoch}.{self.n}"


def next_version(session: Session) -> int:
    """Take the next number of the brand's counter; it stays locked until the commit."""
    insert = inserting(session)
    values = {"brand_id": brand_of(session), "epoch": random_symbols(EPOCH), "n": 1}
    taken = (
        insert(WalletCounter)
        .values(values)
        .on_conflict_do_update(index_elements=["brand_id"], set_={"n": WalletCounter.n + 1})
        .returning(WalletCounter.n)
    )
    number: int = session.scalars(taken).one()
    return number


def current(session: Session) -> Version:
    """Return the newest version that was committed; 0 before the first."""
    row = session.execute(select(WalletCounter.epoch, WalletCounter.n)).one_or_none()
    return Version(row.epoch, row.n) if row else Version("", 0)


def read_tag(session: Session, tag: str | None) -> int:
    """Return the version of a phone's tag; 0 for none, garbage, another epoch's and one from the future."""
    newest = current(session)
    epoch, _point, number = (tag or "").partition(".")
    if epoch != newest.epoch or not (number.isascii() and number.isdigit() and len(number) < 19):
        return 0
    return int(number) if int(number) <= newest.n else 0


def refresh(session: Session, runtime: Runtime, member_id: int) -> None:
    """Mark a member's passes that show something else than before, whoever they were made for before a merge."""
    member = lookup.live(session, member_id)
    if member is None:
        return
    family = lookup.family(session, member.id)
    if not lock(session, family):
        return
    reader = Reader(session, runtime, member)  # reads after the lock: of two at once, the later one sees it all
    coupons.follow(session, reader, family)
    rows = lock(session, family)
    with i18n.use_language(member.language):
        mark(session, [(row, shown) for row in rows if (shown := reader.show(row)) is not None])


def lock(session: Session, family: Sequence[int]) -> list[WalletPass]:
    """Return the passes of a member and its merged ones, locked in id order and read anew."""
    mine = select(WalletPass).where(WalletPass.member_id.in_(family)).with_for_update(key_share=True)
    rows = session.scalars(mine.execution_options(populate_existing=True))
    # Sorted here: SQLite would walk the brand's passes by id. PostgreSQL locks in the order of its plan, so two jobs of
    # one member may meet; they are one job by their key, and a deadlock ends in a retry.
    return sorted(rows, key=lambda row: row.id)


def mark(session: Session, shown: Iterable[tuple[WalletPass, Shown]]) -> list[WalletPass]:
    """Give each pass whose content differs a new version, and let its phones and Google be due; return these."""
    changed = [(row, one) for row, one in shown if row.fingerprint != one.fingerprint]
    if not changed:
        return []
    version, now = next_version(session), clock.now()
    for row, one in changed:
        row.fingerprint, row.version = one.fingerprint, version
        row.last_modified = later(row.last_modified, now)
    session.flush()
    rows = [row for row, _one in changed]
    let_hear(session, [row.id for row in rows if row.kind == "apple"], version)
    if any(row.kind == "google" and row.asked_at for row in rows):
        emit(session, ObjectsDue(brand_id=brand_of(session)))
    return rows


def later(last: datetime, now: datetime) -> datetime:
    """Return a whole second after the last one: HTTP dates know no smaller step, and none may stand for two contents.

    Source: wallet.md, "Last-Modified strictly increases for each pass".
    """
    return max(now, last + timedelta(seconds=1)).replace(microsecond=0)


def again(session: Session, row: WalletPass) -> None:
    """Give a pass a new version though it shows the same: a phone asked for it in vain and has to ask once more."""
    version = next_version(session)
    row.version = version
    session.flush()
    let_hear(session, [row.id], version)


def let_hear(session: Session, pass_ids: Sequence[int], version: int) -> None:
    """Say that the phones with these passes have to hear of a version."""
    if not pass_ids:
        return
    there = select(WalletRegistration.device_id).where(WalletRegistration.pass_id.in_(pass_ids))
    phones = select(WalletDevice).where(WalletDevice.id.in_(there)).order_by(WalletDevice.id).with_for_update()
    for phone in session.scalars(phones.execution_options(populate_existing=True)).all():
        phone.due = max(phone.due, version)
    session.flush()


def live_member(session: Session, row: WalletPass) -> Member | None:
    """Return whose card a pass shows today; None when that member is erased."""
    return lookup.live(session, row.member_id)
