"""Log-ins are rows: they are found by their token at their door only, end in time, and end at once when told to."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock, sessions
from app.core.db import Database, brand_of
from app.core.sessions import DoorSession

DAY = timedelta(days=1)


def test_login_is_found_by_its_token_at_its_door_without_a_brand(session: Session, sqlite: Database) -> None:
    token = sessions.start(session, door="member", subject_id=7, lasts=DAY)
    session.commit()

    with sqlite.reading() as reading:
        login = sessions.find(reading, token, door="member")
        assert login is not None
        assert (login.door, login.brand_id, login.subject_id) == ("member", brand_of(session), 7)
        assert sessions.find(reading, token, door="till") is None
        assert sessions.find(reading, token + "x", door="member") is None


def test_token_itself_is_nowhere_kept(session: Session) -> None:
    token = sessions.start(session, door="till", subject_id=7, lasts=DAY, device="Chrome on Android" * 9)

    row = session.scalars(select(DoorSession)).one()
    assert token not in {row.token_hash, row.public_id, row.device}
    assert len(row.device) == 60


def test_login_ends_by_itself(session: Session) -> None:
    token = sessions.start(session, door="member", subject_id=7, lasts=DAY)

    with clock.moved(by=DAY - timedelta(seconds=5)):
        assert sessions.find(session, token, door="member")
    with clock.moved(by=DAY + timedelta(seconds=1)):
        assert sessions.find(session, token, door="member") is None
        assert sessions.of_subject(session, door="member", subject_id=7) == []


def test_one_login_is_ended_and_the_others_stay(session: Session) -> None:
    first, second = (sessions.start(session, door="member", subject_id=7, lasts=DAY) for _device in range(2))
    login = sessions.find(session, first, door="member")
    assert login is not None

    sessions.end(session, login.id)

    assert sessions.find(session, first, door="member") is None
    assert sessions.find(session, second, door="member")


def test_all_logins_of_one_subject_end_at_once(session: Session) -> None:
    mine = [sessions.start(session, door="till", subject_id=7, lasts=DAY) for _device in range(3)]
    others = (
        sessions.start(session, door="till", subject_id=8, lasts=DAY),
        sessions.start(session, door="member", subject_id=7, lasts=DAY),
    )

    sessions.end_all(session, door="till", subject_id=7)

    assert [sessions.find(session, token, door="till") for token in mine] == [None] * 3
    assert sessions.find(session, others[0], door="till")
    assert sessions.find(session, others[1], door="member")


def test_logins_of_a_merged_member_belong_to_the_one_that_stays(session: Session) -> None:
    token = sessions.start(session, door="member", subject_id=7, lasts=DAY)

    sessions.move(session, door="member", from_id=7, to_id=9)

    login = sessions.find(session, token, door="member")
    assert login is not None
    assert login.subject_id == 9
