"""The members' list, on both databases: what a search finds, and that it finds nobody of another brand."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.cards.faces import figure
from app.core import clock
from app.core.db import Database
from app.members.models import Contact, MemberCode
from app.reports import register
from tests.builders import a_member
from tests.reports.history import at, brand_with_card, buy, member_of


@pytest.fixture
def listed(database: Database, brand_id: int) -> Callable[[str], list[str]]:
    """Search among three members; the answer is their names."""
    with database.unit(brand_id) as session:
        for number, name in enumerate(("Aino", "Äiti", "100%")):
            member = member_of(session, at(1 + number, 8), first_name=name, last_name="Salo")
            session.add(
                Contact(member_id=member.id, kind="phone", value=f"+35840123456{number}", confirmed_at=clock.now())
            )
        code = session.scalars(select(MemberCode).order_by(MemberCode.id).limit(1)).one()
        code.spoken, code.code = "7K3QX9P2", "ABCDEFGHJKLMNPQR"
        contact = session.scalars(select(Contact).where(Contact.kind == "email").order_by(Contact.id).limit(1)).one()
        contact.value = "aino.salo@example.com"

    def search(q: str) -> list[str]:
        with database.reading(brand_id) as session:
            return [str(row.member.first_name) for row in register.search(session, q=q).rows]

    return search


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("", ["100%", "Äiti", "Aino"]),
        ("ain", ["Aino"]),
        ("AINO", ["Aino"]),
        ("äiti", ["Äiti"]),
        ("salo", ["100%", "Äiti", "Aino"]),
        ("aino.s", ["Aino"]),
        ("040 123 4561", ["Äiti"]),
        ("+358401234560", ["Aino"]),
        ("7k3q x9", ["Aino"]),
        ("ABCD", ["Aino"]),
        ("%", ["100%"]),
        ("_ino", []),
        ("nobody", []),
        ("\0", ["100%", "Äiti", "Aino"]),
    ],
)
def test_search_finds_by_name_contact_and_code(listed: Callable[[str], list[str]], q: str, names: list[str]) -> None:
    assert listed(q) == names


def test_code_of_a_merged_card_finds_the_member_it_became(database: Database, brand_id: int) -> None:
    with database.unit(brand_id) as session:
        kept, newcomer = member_of(session, at(1, 8)), member_of(session, at(2, 8), first_name="Second")
        newcomer.state, newcomer.merged_into_id = "merged", kept.id
        buy(session, kept, at(3, 8))
        session.flush()
        spoken = session.scalars(select(MemberCode.spoken).where(MemberCode.member_id == newcomer.id)).one()
        found = register.search(session, q=spoken)

    assert [(row.member.id, [figure(card) for card in row.cards]) for row in found.rows] == [(kept.id, ["1/10"])]
    assert found.rows[0].last_visit == at(3, 8) or abs(found.rows[0].last_visit - at(3, 8)) < timedelta(seconds=5)


def test_page_beyond_the_last_is_the_last(database: Database, brand_id: int) -> None:
    with database.unit(brand_id) as session:
        for number in range(register.PAGE + 1):
            member_of(session, at(1, 8, number))

    with database.reading(brand_id) as session:
        first, last = register.search(session), register.search(session, page=99)

    assert (len(first.rows), first.total, first.pages) == (register.PAGE, register.PAGE + 1, 2)
    assert (len(last.rows), last.number) == (1, 2)


def test_search_knows_members_of_its_own_brand_only(database: Database, brand_id: int) -> None:
    with database.unit(brand_with_card(database, "valo")) as session:
        member = a_member(session, first_name="Stranger")
        spoken = session.scalars(select(MemberCode.spoken).where(MemberCode.member_id == member.id)).one()
        contact = session.scalars(select(Contact.value).where(Contact.member_id == member.id)).one()

    with database.reading(brand_id) as session:
        for q in ("", "Stranger", spoken, contact):
            assert register.search(session, q=q).total == 0
        with pytest.raises(register.MemberUnknown):
            register.find(session, member.public_id)
