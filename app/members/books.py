"""Invariants of the register, for check-books. Each returns one line for each fault; no line means that it holds.

They run in a session of one brand, or of none for all brands at once. Ids in the lines are public ones.
Source: earning.md, "Invariants" 10 and 4; design.md section 3, "Members and contacts".
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from app.members.codes import TRIES
from app.members.consents import CONTACT_OF, GRANTED
from app.members.models import (
    ConsentEvent,
    Contact,
    ContactCode,
    Member,
    MemberCode,
    Scan,
    ScanConfirmation,
    Wording,
)
from app.members.wordings import consent_kind, text_hash


def contacts_are_unique(session: Session) -> list[str]:
    """Return confirmed contacts that two members hold."""
    return [f"a confirmed {kind} is held by {n} members" for _, kind, n in _rows(session, _held_twice())]


# Each is built once: building costs more than asking.
@cache
def _held_twice() -> Select[*tuple[Any, ...]]:
    return (
        select(Contact.brand_id, Contact.kind, func.count())
        .where(Contact.confirmed_at.is_not(None))
        .group_by(Contact.brand_id, Contact.kind, Contact.value)
        .having(func.count() > 1)
    )


def states_fit(session: Session) -> list[str]:
    """Return members whose state contradicts their contacts or their merge."""
    wrong = _rows(session, _unfitting())
    return [f"member {row[0]} is {row[1]}, which its contacts or its merge contradict" for row in wrong]


@cache
def _unfitting() -> Select[*tuple[Any, ...]]:
    confirmed = select(Contact.member_id).where(Contact.confirmed_at.is_not(None))
    return (
        select(Member.public_id, Member.state)
        .where(
            ((Member.state == "confirmed") & Member.id.not_in(confirmed))
            | ((Member.state == "provisional") & Member.id.in_(confirmed))
            | ((Member.state == "merged") != Member.merged_into_id.is_not(None))
        )
        .order_by(Member.id)
    )


def merges_end(session: Session) -> list[str]:
    """Return merged members that lead to another merged one, and what a merge left behind."""
    return [f"merged member {row[0]} leads to no living one" for row in _rows(session, _chained())] + [
        f"merged member {row[0]} still has a contact" for row in _rows(session, _left_behind())
    ]


@cache
def _chained() -> Select[*tuple[Any, ...]]:
    into = aliased(Member)
    return (
        select(Member.public_id)
        .join(into, Member.merged_into_id == into.id)
        .where(into.merged_into_id.is_not(None) | (into.id == Member.id))
    )


@cache
def _left_behind() -> Select[*tuple[Any, ...]]:
    return select(Member.public_id).join(Contact, Contact.member_id == Member.id).where(Member.state == "merged")


def codes_resolve(session: Session) -> list[str]:
    """Return members without the codes of their card."""
    coded = select(MemberCode.member_id)
    bare = select(Member.public_id).where(Member.id.not_in(coded), Member.state != "erased")
    return [f"member {row[0]} has no code" for row in _rows(session, bare)]


def consents_are_proved(session: Session) -> list[str]:
    """Return consents without the text that was read, or with another one than they say."""
    lines = []
    texts = {row.id: row for row in _rows(session, select(Wording.id, Wording.kind, Wording.sha256, Wording.text))}
    lines += [f"wording {row.kind} was changed in place" for row in texts.values() if text_hash(row.text) != row.sha256]
    marketing = select(ConsentEvent).where(ConsentEvent.purpose == "marketing").order_by(ConsentEvent.id)
    for (event,) in _rows(session, marketing):
        text, kind = texts.get(event.wording_id), consent_kind(event.channel, event.purpose)
        if text is None or (text.sha256, text.kind) != (event.wording_sha256, kind):
            lines.append(f"consent event {event.id} does not name the text that was read")
    return lines


def consents_follow(session: Session) -> list[str]:
    """Return consent logs that break: times run back, a withdrawal of nothing, a grant without its contact."""
    lines = []
    last: dict[tuple[int, str, str], ConsentEvent] = {}
    for (event,) in _rows(session, select(ConsentEvent).order_by(ConsentEvent.id)):
        key = (event.member_id, event.channel, event.purpose)
        before = last.get(key)
        if before is not None and before.at > event.at:
            lines.append(f"consent event {event.id} is older than the one before it")
        given = before is not None and before.state not in ("withdrawn", "refused")
        if event.state == "withdrawn" and event.method != "absorbed" and not given:
            lines.append(f"consent event {event.id} withdraws what was not given")
        last[key] = event
    held, gone = {(row.member_id, row.kind) for row in _rows(session, _confirmed_contacts())}, _gone(session)
    for (member_id, channel, _), event in last.items():
        needs = CONTACT_OF.get(channel)
        if event.state in GRANTED and needs and member_id not in gone and (member_id, needs) not in held:
            lines.append(f"consent event {event.id} is granted without a confirmed {needs}")
    return lines


def tries_are_capped(session: Session) -> list[str]:
    """Return codes that took more tries than one may, or that were used after their time."""
    over = select(ContactCode.public_id).where(
        (ContactCode.tries > TRIES) | (ContactCode.used_at.is_not(None) & (ContactCode.used_at > ContactCode.ends_at))
    )
    return [f"code {row[0]} was tried too often or used too late" for row in _rows(session, over)]


def scans_are_allowed(session: Session) -> list[str]:
    """Return scans that may redeem by no moving code and no answer, and answers that their scan does not follow."""
    return [f"scan {row[0]} may redeem, which nobody allowed" for row in _rows(session, _allowed_by_nobody())] + [
        f"question {row[0]} is {row[1]}, which its scan or its time contradicts" for row in _rows(session, _unheard())
    ]


@cache
def _allowed_by_nobody() -> Select[*tuple[Any, ...]]:
    allowed = select(ScanConfirmation.scan_id).where(ScanConfirmation.state == "allowed")
    by_code = (Scan.method == "rotating") & Scan.note.is_(None)
    return select(Scan.public_id).where(Scan.may_redeem, ~by_code, Scan.id.not_in(allowed)).order_by(Scan.id)


@cache
def _unheard() -> Select[*tuple[Any, ...]]:
    unheard = (ScanConfirmation.state == "allowed") & ~Scan.may_redeem
    late = ScanConfirmation.answered_at >= ScanConfirmation.ends_at
    return (
        select(ScanConfirmation.public_id, ScanConfirmation.state)
        .join(Scan, Scan.id == ScanConfirmation.scan_id)
        .where(unheard | late)
        .order_by(ScanConfirmation.id)
    )


INVARIANTS: list[tuple[str, Callable[[Session], list[str]]]] = [
    ("members.contacts_are_unique", contacts_are_unique),
    ("members.states_fit", states_fit),
    ("members.merges_end", merges_end),
    ("members.codes_resolve", codes_resolve),
    ("members.consents_are_proved", consents_are_proved),
    ("members.consents_follow", consents_follow),
    ("members.tries_are_capped", tries_are_capped),
    ("members.scans_are_allowed", scans_are_allowed),
]


def check(session: Session) -> list[str]:
    """Return all faults of the register."""
    return [f"{name}: {line}" for name, invariant in INVARIANTS for line in invariant(session)]


def _rows(session: Session, statement: Select[*tuple[Any, ...]]) -> list[Any]:
    return list(session.execute(statement.execution_options(finds_brand=True)).all())


def _confirmed_contacts() -> Select[*tuple[Any, ...]]:
    return select(Contact.member_id, Contact.kind).where(Contact.confirmed_at.is_not(None)).distinct()


def _gone(session: Session) -> set[int]:
    return {row[0] for row in _rows(session, select(Member.id).where(Member.state.in_(("merged", "erased"))))}
