"""The members' register as the brand's staff see it: a list that can be searched, and one member's story."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import Session

from app.cards.programs import in_force
from app.cards.views import Card
from app.core import clock
from app.core.crypto import normalize_code
from app.core.errors import NotFound
from app.core.i18n import gettext as _
from app.ledger.holdings import Holding
from app.ledger.models import Account, Purchase, Refund
from app.members import contacts, lookup
from app.members.models import ConsentEvent, Contact, Member, MemberCode
from app.rewards.models import Coupon, Redemption

PAGE = 50
LONGEST = 100  # of what is searched for
SHORTEST_CODE = 4  # symbols of a code that are enough to look for
LIVE = ("provisional", "confirmed")  # a merged member is somebody else's second card


class MemberUnknown(NotFound):
    """No such member of this brand."""

    code = "member_unknown"


@dataclass(frozen=True)
class Row:
    """A member in the list, with what each card of theirs holds, in the order of the programs."""

    member: Member
    contact: Contact | None
    cards: list[Card]
    last_visit: datetime | None


@dataclass(frozen=True)
class Page:
    """A page of the list; `number` counts from 1."""

    rows: list[Row]
    total: int
    number: int
    pages: int


@dataclass(frozen=True)
class Facts:
    """What a member has done so far. Sales that were taken back are not counted."""

    sales: int
    cents: int
    redeemed: int
    last_visit: datetime | None


def search(session: Session, *, q: str = "", page: int = 1) -> Page:
    """Return members, the newest first; a page beyond the last one is the last one.

    Args:
        q: a part of the name, the beginning of an email address or of a code, or a phone number.
    """
    wanted = [Member.state.in_(LIVE), *_matching(session, q)]
    total = session.scalar(select(func.count(Member.id)).where(*wanted)) or 0
    pages = max(1, -(-total // PAGE))
    number = min(max(page, 1), pages)
    query = select(Member).where(*wanted).order_by(Member.joined_at.desc(), Member.id.desc())
    found = session.scalars(query.limit(PAGE).offset((number - 1) * PAGE)).all()
    return Page(_rows(session, found), total, number, pages)


def _matching(session: Session, q: str) -> list[ColumnElement[bool]]:
    text = " ".join(q.replace("\0", " ").split())[:LONGEST]
    if not text:
        return []
    # lower() of SQLite knows ASCII only, so a name with an umlaut is also looked for as names are written.
    spellings = {text, text.lower(), text.title(), text.capitalize()}
    fits = [Member.first_name.contains(spelling, autoescape=True) for spelling in sorted(spellings)]
    fits += [func.lower(Member.first_name).contains(text.lower(), autoescape=True)]
    fits += [Member.last_name.contains(spelling, autoescape=True) for spelling in sorted(spellings)]
    fits.append(Member.id.in_(select(Contact.member_id).where(_contact(session, text))))
    code = normalize_code(text)
    if len(code) >= SHORTEST_CODE:
        starts = [kind.startswith(code, autoescape=True) for kind in (MemberCode.code, MemberCode.spoken)]
        owners = select(_kept_member()).join(MemberCode, MemberCode.member_id == Member.id).where(or_(*starts))
        fits.append(Member.id.in_(owners))
    return [or_(*fits)]


def _kept_member() -> ColumnElement[int]:
    """Return SQL for a member, or for the one that it was merged into."""
    return func.coalesce(Member.merged_into_id, Member.id)


def _contact(session: Session, text: str) -> ColumnElement[bool]:
    try:
        exact = contacts.parse(text, region=contacts.region_of(session)).value
    except contacts.ContactInvalid:
        exact = text.lower()
    return or_(Contact.value == exact, Contact.value.startswith(text.lower(), autoescape=True))


def _rows(session: Session, members: Sequence[Member]) -> list[Row]:
    ids = [member.id for member in members]
    programs = in_force(session, clock.now())
    held: dict[tuple[int, int], int] = {
        (row.member_id, row.program_id): row.balance
        for row in session.execute(
            select(Account.member_id, Account.program_id, Account.balance).where(Account.member_id.in_(ids))
        )
    }
    shown, seen = _contacts(session, ids), _last_visits(session, ids)
    return [
        Row(
            row,
            shown.get(row.id),
            [Card(program, holding=Holding(held.get((row.id, program.id), 0))) for program in programs],
            seen.get(row.id),
        )
        for row in members
    ]


def _contacts(session: Session, ids: Sequence[int]) -> dict[int, Contact]:
    """Return one contact of each member: a confirmed one before others, then the oldest."""
    unproved = case((Contact.confirmed_at.is_(None), 1), else_=0)
    rows = session.scalars(select(Contact).where(Contact.member_id.in_(ids)).order_by(unproved, Contact.id))
    found: dict[int, Contact] = {}
    for row in rows:
        found.setdefault(row.member_id, row)
    return found


def _last_visits(session: Session, ids: Sequence[int]) -> dict[int, datetime]:
    """Return each member's newest purchase, those of cards that were merged into it too."""
    who = _kept_member()
    rows = session.execute(
        select(who, func.max(Purchase.occurred_at))
        .join(Purchase, Purchase.member_id == Member.id)
        .outerjoin(Refund, (Refund.purchase_id == Purchase.id) & Refund.whole)
        .where(or_(Member.id.in_(ids), Member.merged_into_id.in_(ids)), Refund.id.is_(None))
        .group_by(who)
    )
    return dict(rows.all())


def find(session: Session, public_id: str) -> Member:
    """Return a member of the session's brand, past a merge.

    Raises:
        MemberUnknown: another brand's, erased, or nobody.
    """
    row = session.scalar(select(Member).where(Member.public_id == public_id))
    member = lookup.live(session, row.id) if row else None
    if member is None:
        raise MemberUnknown(_("There is no such member."))
    return member


def facts(session: Session, member_id: int) -> Facts:
    """Return a member's sums."""
    ids = lookup.family(session, member_id)
    sold = (
        select(func.count(Purchase.id), func.sum(Purchase.total_cents), func.max(Purchase.occurred_at))
        .outerjoin(Refund, (Refund.purchase_id == Purchase.id) & Refund.whole)
        .where(Purchase.member_id.in_(ids), Refund.id.is_(None))
    )
    count, cents, at = session.execute(sold).one()
    used = select(func.count(Redemption.id)).join(Coupon, Coupon.id == Redemption.coupon_id)
    redeemed = session.scalar(used.where(Coupon.member_id.in_(ids), Redemption.reversed_at.is_(None)))
    return Facts(count, int(cents or 0), redeemed or 0, at)


def consent_changes(session: Session, member_id: int) -> list[ConsentEvent]:
    """Return every change of a member's consents, newest first."""
    mine = select(ConsentEvent).where(ConsentEvent.member_id == member_id)
    return list(session.scalars(mine.order_by(ConsentEvent.id.desc())))
