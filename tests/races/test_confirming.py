"""Two confirmations of one member at one moment on both databases, and a broken twin of each that is caught.

Two contacts bring one welcome gift and are both confirmed; two questions of tills are answered each by itself.
"""

from collections import Counter
from collections.abc import Callable

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.cards import welcome
from app.core import clock
from app.core.db import keyring
from app.members import allowing, lookup, sign_in
from app.members import service as members
from app.members.models import Contact, ContactCode, Member, Scan, ScanConfirmation
from app.network.models import Brand, Till
from app.rewards import giving
from app.rewards.models import Coupon
from tests.builders import BROWSER, a_proved_member, a_till
from tests.members.races import at_once
from tests.members.test_allowing import a_static_scan
from tests.races.test_merge_locks import Meeting
from tests.races.world import World
from tests.shop import a_reward

CONTACTS = ("aino.second@example.com", "+358401234567")


def confirm(session: Session, member_id: int, code_id: int, contact: str, _meeting: Meeting) -> None:
    """Confirm a contact as the member's door does."""
    link = keyring(session).text(session.get_one(ContactCode, code_id).link)
    sign_in.confirm_link(session, link, browser=BROWSER)
    welcome.welcome(session, session.get_one(Member, member_id), contact=contact)


def look_then_confirm(session: Session, member_id: int, code_id: int, contact: str, meeting: Meeting) -> None:
    """The twin: look whether there was a gift before anything is locked, then confirm and give one."""
    had = meeting.after(giving._welcomed)(session, member_id)
    link = keyring(session).text(session.get_one(ContactCode, code_id).link)
    sign_in.confirm_link(session, link, browser=BROWSER)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(giving, "_welcomed", lambda *_of: had)
        welcome.welcome(session, session.get_one(Member, member_id), contact=contact)


Confirm = Callable[[Session, int, int, str, Meeting], None]


def contact_race(world: World, act: Confirm, meeting: Meeting) -> tuple[list[object], int, int]:
    """Confirm two contacts of a member at once; return exceptions, contacts that are confirmed, and welcome gifts."""
    with world.unit() as session:
        member = a_proved_member(session)
        codes = [members.add_contact(session, member, contact, browser=BROWSER).id for contact in CONTACTS]
        gift = a_reward(session, "welcome-gift")
        session.get_one(Brand, world.brand_id).welcome_reward_id = gift.id
        member_id = member.id

    def run(number: int) -> None:
        with world.unit() as session:
            act(session, member_id, codes[number], CONTACTS[number], meeting)

    told = at_once(2, run)
    with world.reading() as session:
        confirmed = select(func.count(Contact.id)).where(
            Contact.member_id == member_id, Contact.confirmed_at.is_not(None)
        )
        given = select(func.count(Coupon.id)).where(Coupon.member_id == member_id, Coupon.source_kind == "welcome")
        return told, session.scalar(confirmed) or 0, session.scalar(given) or 0


def test_two_contacts_confirmed_at_once_bring_one_gift(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    meeting = Meeting()
    monkeypatch.setattr(lookup, "lock_found", meeting.after(lookup.lock_found))

    assert contact_race(world, confirm, meeting) == ([None, None], 3, 1)
    assert world.faults() == []


@pytest.mark.usefixtures("unlocked")
def test_gift_that_is_looked_for_before_the_member_is_locked_is_caught(world: World) -> None:
    assert contact_race(world, look_then_confirm, Meeting()) == ([None, None], 3, 2)


# --- two tills' questions to one member ----------------------------------------------------------------------------

Say = Callable[[Session, Member, str, bool], object]


def say(session: Session, member: Member, asked: str, allow: bool) -> object:
    """Answer as the door does."""
    return allowing.answer(session, member, asked, allow=allow)


def say_to_all(session: Session, member: Member, asked: str, allow: bool) -> object:
    """The twin: answer whatever the member is asked at this moment."""
    mine = update(ScanConfirmation).where(ScanConfirmation.member_id == member.id, ScanConfirmation.state == "asked")
    session.execute(mine.values(state="allowed" if allow else "refused", answered_at=clock.now()))
    return allowing.answer(session, member, asked, allow=allow)


def question_race(world: World, act: Say, answers: tuple[bool, bool]) -> tuple[Counter[str], list[tuple[str, bool]]]:
    """Answer two tills' questions at once; return what was told, and of each its state and whether its scan may."""
    with world.unit() as session:
        member = session.get_one(Member, world.member_id)
        tills = [session.get_one(Till, world.till_id), a_till(session)]
        scans = [a_static_scan(session, member, till) for till in tills]
        asked = [allowing.ask(session, scan).public_id for scan in scans]
        scan_ids = [scan.id for scan in scans]

    def press(number: int) -> str:
        with world.unit() as session:
            act(session, session.get_one(Member, world.member_id), asked[number], answers[number])
        return "said"

    told = Counter(one if isinstance(one, str) else type(one).__name__ for one in at_once(2, press))
    with world.reading() as session:
        rows = [
            session.scalars(select(ScanConfirmation).where(ScanConfirmation.scan_id == one)).one() for one in scan_ids
        ]
        return told, [(row.state, session.get_one(Scan, row.scan_id).may_redeem) for row in rows]


@pytest.mark.parametrize("answers", [(True, True), (True, False)], ids=["both", "one"])
def test_two_questions_answered_at_once_each_get_their_own_answer(world: World, answers: tuple[bool, bool]) -> None:
    told, standing = question_race(world, say, answers)

    assert told == {"said": 2}
    assert standing == [("allowed", True), ("allowed", True) if answers[1] else ("refused", False)]
    assert world.faults() == []


def test_answer_to_whatever_is_asked_is_caught(world: World) -> None:
    told, _standing = question_race(world, say_to_all, (True, False))

    assert told["ConfirmationAnswered"] == 1
