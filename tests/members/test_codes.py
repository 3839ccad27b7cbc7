"""Codes of 6 digits: five tries, ten minutes, once, in the asking browser. Each race catches its broken twin."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import Database, keyring
from app.core.errors import LeimaError, TooMany
from app.members import codes, service, sign_in
from app.members.codes import CodeUnusable, Try
from app.members.models import ContactCode
from app.members.sign_in import CodeWrong, Confirmed
from tests.builders import BROWSER, a_brand, a_newcomer
from tests.members.races import FULL, at_once

GUESSES = 10_000 if FULL else 200
THREADS = 20


def an_open_code(database: Database, brand_id: int) -> tuple[str, str]:
    """Build a newcomer; return the public id and the digits of its code."""
    with database.unit(brand_id) as session:
        row = a_newcomer(session, "aino@example.com").code
        return row.public_id, keyring(session).text(row.code)


def wrong(digits: str, guess: int = 1) -> str:
    """Return other digits."""
    return f"{(int(digits) + 1 + guess % 999_999) % 1_000_000:06d}"


def attempt(database: Database, brand_id: int, code: str, digits: str, browser: str = BROWSER) -> Confirmed:
    """Try a code as a door does: count, then one unit."""
    counted = sign_in.count_try(database, brand_id, code)
    with database.unit(brand_id) as session:
        return sign_in.confirm(session, counted, digits=digits, browser=browser)


def tries_of(database: Database, brand_id: int, code: str) -> int:
    """Return the tries that the row has counted."""
    with database.reading(brand_id) as session:
        return session.scalars(select(ContactCode.tries).where(ContactCode.public_id == code)).one()


def test_right_digits_confirm_the_member_once(database: Database) -> None:
    brand_id = a_brand(database)
    code, digits = an_open_code(database, brand_id)

    proved = attempt(database, brand_id, code, f" {digits[:3]} {digits[3:]} ")

    with database.reading(brand_id) as session:
        assert getattr(service.live(session, proved.member_id), "state", None) == "confirmed"
    assert proved.merged_from is None
    with pytest.raises(CodeUnusable):
        attempt(database, brand_id, code, digits)


def test_wrong_digits_say_how_many_tries_are_left_and_the_sixth_is_refused(sqlite: Database) -> None:
    brand_id = a_brand(sqlite)
    code, digits = an_open_code(sqlite, brand_id)

    left = []
    for guess in range(5):
        with pytest.raises(CodeWrong) as refused:
            attempt(sqlite, brand_id, code, wrong(digits, guess))
        left.append(refused.value.extra["left"])

    assert left == [4, 3, 2, 1, 0]
    with pytest.raises(TooMany) as over:
        attempt(sqlite, brand_id, code, digits)
    assert 0 < over.value.retry_after <= 600


def test_more_codes_for_one_contact_give_no_more_tries(sqlite: Database) -> None:
    brand_id = a_brand(sqlite)
    first, digits = an_open_code(sqlite, brand_id)
    second, right = an_open_code(sqlite, brand_id)
    for guess in range(5):
        with pytest.raises(CodeWrong):
            attempt(sqlite, brand_id, first, wrong(digits, guess))

    with pytest.raises(TooMany):
        attempt(sqlite, brand_id, second, right)


def test_ten_minutes_hold_five_tries_wherever_they_begin(sqlite: Database) -> None:
    brand_id = a_brand(sqlite)
    start, tried = clock.now(), []
    for after in (0, *[595] * 4, *[605] * 5, *[1190] * 5, *[1200] * 5):
        with clock.moved(to=start + timedelta(seconds=after)):
            code, _ = an_open_code(sqlite, brand_id)
            try:
                sign_in.count_try(sqlite, brand_id, code)
                tried.append(after)
            except TooMany:
                continue

    assert len(tried) >= 10  # who waits may try again
    assert max(sum(first <= at < first + 600 for at in tried) for first in tried) == 5


def test_row_itself_takes_five_tries_even_when_the_counter_has_forgotten(sqlite: Database) -> None:
    brand_id = a_brand(sqlite)
    code, digits = an_open_code(sqlite, brand_id)
    with sqlite.unit(brand_id) as session:
        session.execute(update(ContactCode).where(ContactCode.public_id == code).values(tries=5))

    with pytest.raises(CodeUnusable):
        attempt(sqlite, brand_id, code, digits)


def test_code_ends_after_ten_minutes(sqlite: Database) -> None:
    brand_id = a_brand(sqlite)
    code, digits = an_open_code(sqlite, brand_id)

    with clock.moved(by=timedelta(minutes=10, seconds=1)), pytest.raises(CodeUnusable):
        attempt(sqlite, brand_id, code, digits)
    with clock.moved(by=timedelta(minutes=9, seconds=50)):
        assert attempt(sqlite, brand_id, code, digits).member_id


@pytest.mark.parametrize("browser", ["another browser's cookie", ""])
def test_digits_pass_only_in_the_asking_browser(sqlite: Database, browser: str) -> None:
    brand_id = a_brand(sqlite)
    code, digits = an_open_code(sqlite, brand_id)

    with pytest.raises(CodeUnusable):
        attempt(sqlite, brand_id, code, digits, browser)


def test_try_of_another_number_or_code_is_no_ticket(sqlite: Database) -> None:
    brand_id = a_brand(sqlite)
    code, digits = an_open_code(sqlite, brand_id)

    for ticket in (Try(code, 1), Try(code, 0), Try("0" * 26, 1)):
        with pytest.raises(CodeUnusable), sqlite.unit(brand_id) as session:
            sign_in.confirm(session, ticket, digits=digits, browser=BROWSER)


def test_unknown_code_of_another_brand_is_unusable(sqlite: Database) -> None:
    brand_id, other = a_brand(sqlite), a_brand(sqlite, "other")
    code, digits = an_open_code(sqlite, brand_id)

    with pytest.raises(CodeUnusable):
        attempt(sqlite, other, code, digits)
    assert tries_of(sqlite, brand_id, code) == 0


def test_newest_open_code_of_the_browser_is_found(session: Session) -> None:
    first = a_newcomer(session).code
    second = a_newcomer(session).code

    assert codes.newest(session, browser=BROWSER) is second
    codes.use(session, second)
    assert codes.newest(session, browser=BROWSER) is first
    assert codes.newest(session, browser="another") is None
    assert codes.newest(session, browser="") is None


def test_asking_is_limited_by_contact_in_any_spelling_and_by_address(sqlite: Database) -> None:
    brand_id = a_brand(sqlite)
    spellings = ["0401234567", "+358 40 1234567", "040-123 4567", "00358401234567", "040 1234567"]
    for number, spelling in enumerate(spellings):
        codes.count_ask(sqlite, brand_id, contact=spelling, address=f"198.51.100.{number}")

    with pytest.raises(TooMany):
        codes.count_ask(sqlite, brand_id, contact="0401234567", address="203.0.113.1")
    for number in range(30):
        codes.count_ask(sqlite, brand_id, contact=f"person{number}@example.com", address="203.0.113.9")
    with pytest.raises(TooMany):
        codes.count_ask(sqlite, brand_id, contact="no contact at all", address="203.0.113.9")


# --- guesses, also in parallel -------------------------------------------------------------------------------------


def guess_in_parallel(
    database: Database, brand_id: int, code: str, count: Callable[[Database, int, str], Try], guesses: int
) -> int:
    """Guess from 20 threads at once; return how many guesses were compared with the code."""
    compared: list[int] = []

    def act(thread: int) -> None:
        for guess in range(thread, guesses, THREADS):
            try:
                ticket = count(database, brand_id, code)
            except LeimaError:
                continue
            compared.append(guess)
            try:
                with database.unit(brand_id) as session:
                    sign_in.confirm(session, ticket, digits=f"x{guess}", browser=BROWSER)
            except LeimaError:
                continue

    at_once(THREADS, act)
    return len(compared)


def count_try_with_a_gap(gap: threading.Barrier) -> Callable[[Database, int, str], Try]:
    """Make the broken twin: it reads the count in one transaction and writes it in another."""

    def count(database: Database, brand_id: int, code: str) -> Try:
        tries = tries_of(database, brand_id, code)
        gap.wait(timeout=20)
        if tries >= codes.TRIES:
            raise CodeUnusable
        with database.unit(brand_id) as session:
            session.execute(update(ContactCode).where(ContactCode.public_id == code).values(tries=tries + 1))
        return Try(code, tries + 1)

    return count


def test_many_guesses_at_a_code_are_capped_in_parallel(database: Database) -> None:
    brand_id = a_brand(database)
    code, _ = an_open_code(database, brand_id)

    assert guess_in_parallel(database, brand_id, code, sign_in.count_try, GUESSES) == 5
    assert tries_of(database, brand_id, code) == 5


def test_row_alone_caps_guesses_in_parallel_when_the_counter_is_broken(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    brand_id = a_brand(database)
    code, _ = an_open_code(database, brand_id)
    monkeypatch.setattr(database, "count", lambda *_args, **_options: 1)  # the twin of the counter

    assert guess_in_parallel(database, brand_id, code, sign_in.count_try, 100) == 5


def test_twin_that_counts_in_two_transactions_is_caught(database: Database) -> None:
    brand_id = a_brand(database)
    code, _ = an_open_code(database, brand_id)

    twin = count_try_with_a_gap(threading.Barrier(THREADS))

    assert guess_in_parallel(database, brand_id, code, twin, THREADS) > 5


# --- one success of many at once -----------------------------------------------------------------------------------


def confirm_at_once(database: Database, brand_id: int, code: str, digits: str) -> tuple[int, int]:
    """Send the right digits 20 times at once; return how many were counted and how many succeeded."""
    results = at_once(THREADS, lambda _thread: attempt(database, brand_id, code, digits))
    unexpected = [result for result in results if not isinstance(result, Confirmed | LeimaError)]
    assert unexpected == []
    return tries_of(database, brand_id, code), sum(isinstance(result, Confirmed) for result in results)


def test_right_digits_sent_twenty_times_at_once_succeed_once(database: Database) -> None:
    brand_id = a_brand(database)
    code, digits = an_open_code(database, brand_id)

    tries, successes = confirm_at_once(database, brand_id, code, digits)

    assert successes == 1
    assert tries <= 5


def use_at_once(database: Database, brand_id: int, code: str, use: Callable[[Session, ContactCode], None]) -> int:
    """Let 20 requests use one code, all having read it while it was open; return how many succeeded."""
    read = threading.Barrier(THREADS)

    def act(_thread: int) -> None:
        with database.reading(brand_id) as session:
            row = session.scalars(select(ContactCode).where(ContactCode.public_id == code)).one()
        read.wait(timeout=20)
        with database.unit(brand_id) as session:
            use(session, row)

    return sum(result is None for result in at_once(THREADS, act))


def use_without_condition(session: Session, row: ContactCode) -> None:
    """Be the broken twin: it looks at what was read before, and writes whatever is there now."""
    if row.used_at is not None:
        raise CodeUnusable
    session.execute(update(ContactCode).where(ContactCode.id == row.id).values(used_at=clock.now()))


def test_code_is_used_once_however_many_have_read_it_open(database: Database) -> None:
    brand_id = a_brand(database)
    code, _ = an_open_code(database, brand_id)

    assert use_at_once(database, brand_id, code, codes.use) == 1


def test_twin_that_uses_a_code_without_the_condition_is_caught(database: Database) -> None:
    brand_id = a_brand(database)
    code, _ = an_open_code(database, brand_id)

    assert use_at_once(database, brand_id, code, use_without_condition) > 1
