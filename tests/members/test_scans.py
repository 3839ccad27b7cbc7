"""Scans: what a till may do after reading a code, and that a step of 30 seconds serves once."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.crypto import totp, totp_step
from app.core.db import Database, keyring
from app.members import lookup, scans, service
from app.members.models import Member, Scan
from app.members.scans import MemberCodeUnknown, ScanExpired, ScanUnknown
from app.network.models import Till
from tests.builders import a_brand, a_member, a_newcomer, a_proved_member, a_till, prove
from tests.members.races import at_once


def qr(session: Session, member: Member, steps: int = 0) -> str:
    """Return what the member's phone shows; `steps` moves its clock by 30 seconds each."""
    digits = totp(keyring(session).decrypt(member.totp_secret), totp_step(clock.now()) + steps)
    return f"HTTPS://LEIMA.EXAMPLE/M/{service.codes_of(session, member.id).code}.{digits}"


def outcome(scan: Scan) -> tuple[str, bool, str | None]:
    """Return what a till sees of a scan."""
    return scan.method, scan.may_redeem, scan.note


def test_rotating_code_may_redeem_static_and_spoken_only_earn(session: Session) -> None:
    member, till = a_member(session), a_till(session)
    codes = service.codes_of(session, member.id)

    read = [scans.read(session, text, till=till) for text in (qr(session, member), codes.code, codes.spoken)]

    assert [outcome(scan) for scan in read] == [
        ("rotating", True, None),
        ("static", False, None),
        ("spoken", False, None),
    ]
    assert {scan.member_id for scan in read} == {member.id}


@pytest.mark.parametrize(("steps", "may"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_phone_may_be_one_step_off_either_way(session: Session, steps: int, may: bool) -> None:
    member, till = a_member(session), a_till(session)
    seconds = clock.now().timestamp() % 30
    with clock.moved(by=timedelta(seconds=10 - seconds)):
        scan = scans.read(session, qr(session, member, steps), till=till)

    assert outcome(scan) == ("rotating", may, None if may else "code_stale")


def test_used_step_earns_but_redeems_no_second_time(session: Session) -> None:
    member, till, other = a_member(session), a_till(session), a_till(session)
    text = qr(session, member)

    first, second = scans.read(session, text, till=till), scans.read(session, text.lower(), till=other)

    assert outcome(first) == ("rotating", True, None)
    assert outcome(second) == ("rotating", False, "code_used")


def test_next_step_redeems_again(session: Session) -> None:
    member, till = a_member(session), a_till(session)
    scans.read(session, qr(session, member), till=till)

    with clock.moved(by=timedelta(seconds=60)):
        assert scans.read(session, qr(session, member), till=till).may_redeem


def test_card_saved_before_a_merge_may_still_redeem(session: Session) -> None:
    till, kept = a_till(session), a_proved_member(session)
    joined = a_newcomer(session)
    prove(session, joined.code)

    scan = scans.read(session, qr(session, joined.member), till=till)

    assert (scan.member_id, scan.may_redeem) == (kept.id, True)


@pytest.mark.parametrize(
    "text", ["", "6417405123453", "ABCDEFGH23456789", "ABCDEFGH", "https://leima.example/m/x", "💳"]
)
def test_text_that_names_nobody_is_unknown(session: Session, text: str) -> None:
    with pytest.raises(MemberCodeUnknown) as refused:
        scans.read(session, text, till=a_till(session))
    assert (refused.value.status, refused.value.code) == (404, "member_code_unknown")


def test_foreign_and_erased_members_are_unknown(sqlite: Database) -> None:
    own, foreign = a_brand(sqlite), a_brand(sqlite, "other")
    with sqlite.unit(foreign) as session:
        text = qr(session, a_member(session))
    with sqlite.unit(own) as session:
        gone = a_member(session, state="erased")
        texts = [text, qr(session, gone)]
        till = a_till(session)
        for unknown in texts:
            with pytest.raises(MemberCodeUnknown):
                scans.read(session, unknown, till=till)
        assert session.scalars(select(Scan)).all() == []


def test_scan_is_for_one_till_and_five_minutes(session: Session) -> None:
    member, till, other = a_member(session), a_till(session), a_till(session)
    scan = scans.read(session, qr(session, member), till=till)

    assert scans.get(session, scan.public_id, till=till) is scan
    with pytest.raises(ScanUnknown):
        scans.get(session, scan.public_id, till=other)
    with pytest.raises(ScanUnknown):
        scans.get(session, "0" * 26, till=till)
    with clock.moved(by=timedelta(minutes=5, seconds=1)), pytest.raises(ScanExpired):
        scans.get(session, scan.public_id, till=till)


# --- two tills and more with one code ------------------------------------------------------------------------------

TILLS = 16
Door = Callable[[Database, int, str, int], bool]


def read_at_a_till(database: Database, brand_id: int, text: str, till_id: int) -> bool:
    """Scan as a door does, in one unit; return whether the till may redeem."""
    with database.unit(brand_id) as session:
        return scans.read(session, text, till=session.get_one(Till, till_id)).may_redeem


def twin_that_looks_first() -> Door:
    """Make the broken twin: it looks at the step in one transaction and writes it in another."""
    looked = threading.Barrier(TILLS)

    def read(database: Database, brand_id: int, text: str, _till_id: int) -> bool:
        step = totp_step(clock.now())
        with database.reading(brand_id) as session:
            owner = lookup.owner_of_code(session, text)
            assert owner is not None
            fresh = owner.totp_step < step
        looked.wait(timeout=20)
        with database.unit(brand_id) as session:
            session.execute(update(Member).where(Member.id == owner.id).values(totp_step=step))
        return fresh

    return read


def redeemers(database: Database, door: Door) -> int:
    """Let 16 tills scan one code at once; return how many may redeem."""
    brand_id = a_brand(database)
    with database.unit(brand_id) as session:
        text = qr(session, a_member(session))
        tills = [a_till(session).id for _ in range(TILLS)]
    results = at_once(TILLS, lambda number: door(database, brand_id, text, tills[number]))
    assert [result for result in results if not isinstance(result, bool)] == []
    return sum(result is True for result in results)


def test_of_many_tills_with_one_code_one_may_redeem(database: Database) -> None:
    assert redeemers(database, read_at_a_till) == 1


def test_twin_that_looks_at_the_step_and_then_writes_it_is_caught(database: Database) -> None:
    assert redeemers(database, twin_that_looks_first()) > 1
