"""A till asks the member's app: what each answer does, and that of two at one moment one counts."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from threading import Barrier

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import Database
from app.core.jobs import Job
from app.members import allowing, books, lookup, scans
from app.members.models import Member, Scan, ScanConfirmation
from app.network.models import Till
from tests.builders import a_brand, a_member, a_newcomer, a_proved_member, a_till, prove
from tests.members.races import FULL, at_once
from tests.plans import statements
from tests.races.world import World
from tests.races.world import unlocked as unlocked
from tests.races.world import world as world
from tests.refusals import code_of


def a_static_scan(session: Session, member: Member, till: Till | None = None) -> Scan:
    """Read what stands in Apple Wallet."""
    return scans.read(session, lookup.codes_of(session, member.id).code, till=till or a_till(session))


def test_scan_may_redeem_from_the_allowing_to_its_end(session: Session) -> None:
    member = a_member(session)
    scan = a_static_scan(session, member)
    asked = allowing.ask(session, scan)
    assert [one.public_id for one in allowing.questions(session, member)] == [asked.public_id]

    allowing.answer(session, member, asked.public_id, allow=True)

    assert (scan.may_redeem, allowing.questions(session, member), books.check(session)) == (True, [], [])
    with clock.moved(by=timedelta(minutes=5, seconds=1)), pytest.raises(scans.ScanExpired):
        scans.get(session, scan.public_id, till=session.get_one(Till, scan.till_id))


def test_asked_twice_is_one_question_and_one_message(session: Session) -> None:
    scan = a_static_scan(session, a_member(session))

    first, second = allowing.ask(session, scan), allowing.ask(session, scan)

    assert first is second
    jobs = select(func.count(Job.id)).where(Job.name == "delivery.push_question")
    assert session.scalar(jobs.execution_options(finds_brand=True)) == 1


def test_refusal_is_final_and_another_question_may_follow_until_the_member_has_had_enough(session: Session) -> None:
    member = a_member(session)
    scan = a_static_scan(session, member)
    asked = [allowing.ask(session, scan)]
    for number in range(allowing.MOST_REFUSED):
        allowing.answer(session, member, asked[-1].public_id, allow=False)
        if number < allowing.MOST_REFUSED - 1:
            asked.append(allowing.ask(session, scan))

    assert len({one.id for one in asked}) == allowing.MOST_REFUSED
    assert not scan.may_redeem
    assert code_of(lambda: allowing.answer(session, member, asked[0].public_id, allow=True)) == "confirmation_answered"
    assert code_of(lambda: allowing.ask(session, a_static_scan(session, member))) == "confirmation_refused_often"
    with clock.moved(by=allowing.PAUSE + timedelta(seconds=1)):
        assert allowing.ask(session, a_static_scan(session, member)).state == "asked"


def test_second_press_changes_nothing(session: Session) -> None:
    member = a_member(session)
    asked = allowing.ask(session, a_static_scan(session, member))

    first = allowing.answer(session, member, asked.public_id, allow=True).answered_at
    with clock.moved(by=timedelta(minutes=9)):
        again = allowing.answer(session, member, asked.public_id, allow=True)

    assert (again.state, again.answered_at) == ("allowed", first)


def test_only_the_member_answers_and_only_in_time(session: Session) -> None:
    member, other = a_member(session), a_member(session)
    scan = a_static_scan(session, member)
    asked = allowing.ask(session, scan)

    assert code_of(lambda: allowing.answer(session, other, asked.public_id, allow=True)) == "confirmation_unknown"
    with clock.moved(by=timedelta(minutes=5, seconds=1)):
        assert allowing.questions(session, member) == []
        assert code_of(lambda: allowing.answer(session, member, asked.public_id, allow=True)) == "confirmation_over"
    assert (scan.may_redeem, allowing.questions(session, other)) == (False, [])


def test_question_follows_its_member_through_a_merge(session: Session) -> None:
    kept, joined = a_proved_member(session), a_newcomer(session)
    scan = a_static_scan(session, joined.member)
    asked = allowing.ask(session, scan)
    prove(session, joined.code)

    allowing.answer(session, kept, asked.public_id, allow=True)

    session.refresh(scan)
    assert (scan.may_redeem, scan.member_id) == (True, kept.id)


def test_open_card_asks_without_a_walk_over_the_brand(database: Database) -> None:
    brand_id = a_brand(database)
    with database.unit(brand_id) as session:
        member = a_member(session)
        allowing.ask(session, a_static_scan(session, member))

    big = ("member", "scan", "scan_confirmation", "till", "outlet")
    with statements(database, *big) as found, database.reading(brand_id) as session:
        assert len(allowing.questions(session, member)) == 1

    assert found.walks == []


# --- two at one moment ----------------------------------------------------------------------------------------------

ANSWERS = 8
ROUNDS = range(20 if FULL else 2)
LOOKED = 30  # seconds at most until all eight have looked
Say = Callable[[Session, Member, str, bool], object]


def say(session: Session, member: Member, asked: str, allow: bool) -> object:
    """Answer as the door does."""
    return allowing.answer(session, member, asked, allow=allow)


def look_then_say(session: Session, _member: Member, asked: str, allow: bool, *, looked: Barrier) -> object:
    """The twin: look whether it is answered, then answer."""
    row = session.scalars(select(ScanConfirmation).where(ScanConfirmation.public_id == asked)).one()
    looked.wait(LOOKED)
    if row.state != "asked":
        raise allowing.ConfirmationAnswered("answered")
    row.state, row.answered_at = "allowed" if allow else "refused", clock.now()
    if allow:
        session.get_one(Scan, row.scan_id).may_redeem = True
    return row


def answer_race(world: World, act: Say) -> tuple[Counter[object], str, bool]:
    """Answer from eight windows at once, yes and no; return what each was told, the state, and what the scan may."""
    with world.unit() as session:
        member = a_member(session)  # of each round its own: whoever said no several times is left alone
        scan = a_static_scan(session, member, session.get_one(Till, world.till_id))
        asked, scan_id, member_id = allowing.ask(session, scan).public_id, scan.id, member.id

    def press(number: int) -> str:
        with world.unit() as session:
            act(session, session.get_one(Member, member_id), asked, bool(number % 2))
        return "allowed" if number % 2 else "refused"

    told = Counter(one if isinstance(one, str) else type(one).__name__ for one in at_once(ANSWERS, press))
    with world.reading() as session:
        row = session.scalars(select(ScanConfirmation).where(ScanConfirmation.public_id == asked)).one()
        return told, row.state, session.get_one(Scan, scan_id).may_redeem


@pytest.mark.parametrize("round_number", ROUNDS)
def test_of_yes_and_no_at_once_one_counts(world: World, round_number: int) -> None:
    told, state, may = answer_race(world, say)

    assert told == {state: ANSWERS // 2, "ConfirmationAnswered": ANSWERS // 2}
    assert (may, world.faults()) == (state == "allowed", [])


@pytest.mark.usefixtures("unlocked")
def test_answer_that_looks_first_is_caught(world: World) -> None:
    told, _state, _may = answer_race(world, partial(look_then_say, looked=Barrier(ANSWERS)))

    assert told["allowed"]
    assert told["refused"]


def test_many_tills_windows_asking_at_once_make_one_question(database: Database) -> None:
    brand_id = a_brand(database)
    with database.unit(brand_id) as session:
        scan_id = a_static_scan(session, a_member(session)).id

    def ask(_number: int) -> str:
        with database.unit(brand_id) as session:
            return allowing.ask(session, session.get_one(Scan, scan_id)).public_id

    assert len(set(at_once(ANSWERS, ask))) == 1
