"""Apple's web service over the database: registering, asking, tags; one phone or several, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.core import clock
from app.core.errors import Unauthorized
from app.core.jobs import Job
from app.wallet import devices, marks
from app.wallet.apns import Wake
from app.wallet.models import WalletCounter, WalletPass, WalletRegistration
from tests.builders import a_brand, a_member
from tests.members.races import at_once
from tests.wallet.phoneside import PHONE, TOKEN, Apple, apple, ask, pass_row, phones, register, unregister, work
from tests.wallet.shop import Shop, face

__all__ = ["apple"]
SOON = timedelta(seconds=2)  # more than what a job waits for others of its kind


def test_new_phone_is_201_and_is_woken_since_its_pass_may_have_changed_meanwhile(shop: Shop, apple: Apple) -> None:
    made = shop.apple()
    shop.buy("1")  # between the download and the registration

    assert register(shop, made) is True
    work(shop)

    assert set(apple.woken) == {TOKEN}
    found = ask(shop)
    assert found is not None
    assert found.serials == [face(made)["serialNumber"]]


def test_same_registration_again_changes_nothing(shop: Shop, apple: Apple) -> None:
    made = shop.apple()
    register(shop, made)
    work(shop)
    (before,) = phones(shop)

    assert register(shop, made) is False

    work(shop)
    (after,) = phones(shop)
    assert (len(apple.woken), after.due, after.push_token_hash) == (1, before.due, before.push_token_hash)
    assert after.token_at > before.token_at


def test_new_token_replaces_the_old_one_for_all_passes_of_the_phone_and_wakes_it(shop: Shop, apple: Apple) -> None:
    other = shop.change(lambda session: a_member(session).id)
    mine, theirs = shop.apple(), shop.apple(other)
    for made in (mine, theirs):
        register(shop, made)
    work(shop)

    assert register(shop, mine, push_token="b2" * 40) is False
    work(shop)

    assert apple.woken[-1] == "b2" * 40
    assert len(phones(shop)) == 1


def test_phone_gets_all_its_passes_above_its_tag_and_nothing_twice(shop: Shop, apple: Apple) -> None:
    others = [shop.change(lambda session: a_member(session).id) for _number in range(2)]
    made = [shop.apple(), *(shop.apple(other) for other in others)]
    for each in made:
        register(shop, each)
    first = ask(shop)
    assert first is not None
    assert set(first.serials) == {face(each)["serialNumber"] for each in made}
    assert ask(shop, first.tag) is None

    shop.buy("1")
    with clock.moved(by=SOON):
        work(shop)

    second = ask(shop, first.tag)
    assert second is not None
    assert second.serials == [face(made[0])["serialNumber"]]
    assert ask(shop, second.tag) is None


@pytest.mark.parametrize("tag", [None, "", "x", "1", "-1", ".5", "ABCDEFGH.1", "9" * 400, "½.½", "1700000000"])
def test_garbage_tag_is_no_tag(small: Shop, tag: str | None) -> None:
    made = small.apple()
    register(small, made)

    found = ask(small, tag)

    assert found is not None
    assert found.serials == [face(made)["serialNumber"]]


def test_tag_of_a_restored_database_counts_as_none(small: Shop) -> None:
    register(small, small.apple())
    found = ask(small)
    assert found is not None
    future = found.tag.split(".")[0] + ".999"

    assert ask(small, future) is not None  # from a future that the restored database does not know
    small.change(lambda session: setattr(session.scalars(select(WalletCounter)).one(), "epoch", "RESTORED"))
    assert ask(small, found.tag) is not None


def test_unknown_phone_and_another_type_have_nothing(small: Shop) -> None:
    register(small, small.apple())

    assert ask(small, device="e" * 32) is None
    with small.runtime.database.reading(small.brand_id) as session:
        assert devices.updates(session, device=PHONE, pass_type="pass.other", tag=None) is None


def test_last_pass_takes_the_phone_with_it_and_leaving_twice_is_fine(shop: Shop, apple: Apple) -> None:
    other = shop.change(lambda session: a_member(session).id)
    mine, theirs = shop.apple(), shop.apple(other)
    for made in (mine, theirs):
        register(shop, made)

    unregister(shop, mine)
    assert len(phones(shop)) == 1
    unregister(shop, theirs)
    unregister(shop, theirs)

    assert phones(shop) == []
    shop.buy("1")
    with clock.moved(by=SOON):
        work(shop)
    assert apple.woken == []


@pytest.mark.parametrize("wrong", ["token", "type", "serial", "no token"])
def test_who_cannot_prove_the_pass_gets_one_answer(small: Shop, wrong: str) -> None:
    shown = face(small.apple())
    serial = "0" * 26 if wrong == "serial" else shown["serialNumber"]
    kind = "pass.other" if wrong == "type" else shown["passTypeIdentifier"]
    token = {"token": "x" * 32, "no token": ""}.get(wrong, shown["authenticationToken"])

    with small.runtime.database.reading(small.brand_id) as session, pytest.raises(Unauthorized) as refused:
        devices.prove(session, serial, kind, token)

    assert (refused.value.code, refused.value.message) == ("wallet_pass_unknown", "There is no such pass.")


@pytest.mark.parametrize(("device", "token"), [("", TOKEN), (PHONE, ""), (PHONE, "a" * 1001), ("d" * 201, TOKEN)])
def test_registration_without_token_or_of_an_impossible_length_is_refused(small: Shop, device: str, token: str) -> None:
    made = small.apple()

    with pytest.raises(devices.RegistrationInvalid):
        register(small, made, device=device, push_token=token)

    assert phones(small) == []


def test_phone_and_tokens_are_sealed(small: Shop) -> None:
    register(small, small.apple())

    (phone,) = phones(small)
    assert TOKEN.encode() not in phone.push_token
    assert small.runtime.database.keys.text(phone.push_token) == TOKEN
    assert PHONE not in (phone.device_hash, phone.push_token_hash)


def test_ten_stamps_in_a_second_are_one_wake_up(shop: Shop, apple: Apple) -> None:
    register(shop, shop.apple())
    work(shop)
    apple.woken.clear()
    for receipt in range(10):
        shop.buy(str(receipt))

    with shop.runtime.database.reading() as session:
        waiting = select(Job).where(Job.name == "wallet.refresh_pass", Job.state == "queued")
        assert len(session.scalars(waiting).all()) == 1
    with clock.moved(by=SOON):
        work(shop)

    assert apple.woken == [TOKEN]


def test_fill_that_brings_a_coupon_is_one_wake_up(shop: Shop, apple: Apple) -> None:
    register(shop, shop.apple())
    work(shop)
    apple.woken.clear()

    shop.buy("1", cents=400 * 12)
    with clock.moved(by=SOON):
        work(shop)

    assert apple.woken == [TOKEN]


def test_purchase_that_changes_nothing_wakes_nobody(shop: Shop, apple: Apple) -> None:
    register(shop, shop.apple())
    work(shop)
    before = pass_row(shop)
    apple.woken.clear()

    shop.buy("1", cents=399)
    with clock.moved(by=SOON):
        work(shop)

    assert apple.woken == []
    assert pass_row(shop).version == before.version


def test_phone_that_apple_says_is_gone_is_forgotten(shop: Shop, apple: Apple) -> None:
    register(shop, shop.apple())
    apple.answer = Wake("gone", "apns_unregistered")

    work(shop)

    assert phones(shop) == []
    with shop.runtime.database.reading(shop.brand_id) as session:
        assert session.scalars(select(WalletRegistration)).all() == []


def test_phone_that_registered_again_after_apple_lost_it_stays(shop: Shop, apple: Apple) -> None:
    register(shop, shop.apple())
    gone_since = clock.now() - timedelta(minutes=1)
    apple.answer = Wake("gone", "apns_unregistered", gone_since=gone_since)

    work(shop)

    assert len(phones(shop)) == 1


def test_bad_certificate_at_apple_deletes_nobody_and_wakes_once_it_is_mended(shop: Shop, apple: Apple) -> None:
    register(shop, shop.apple())
    apple.answer = Wake("misconfigured", "apns_bad_certificate")
    work(shop)
    assert len(phones(shop)) == 1
    apple.answer = Wake("accepted", "apns_accepted")

    with clock.moved(by=timedelta(minutes=5)):
        work(shop)

    assert apple.woken == [TOKEN]


def test_eight_registrations_at_once_make_one_phone(shop: Shop) -> None:
    made = shop.apple()

    results = at_once(8, lambda _number: register(shop, made))

    assert sorted(results) == [False] * 7 + [True]  # type: ignore[type-var]  # none is an error
    assert len(phones(shop)) == 1


def test_phone_that_registers_while_it_leaves_with_another_pass_is_whole(shop: Shop) -> None:
    other = shop.change(lambda session: a_member(session).id)
    mine, theirs = shop.apple(), shop.apple(other)
    for _round in range(5):
        register(shop, mine)

        results = at_once(2, lambda n: unregister(shop, mine) if n else register(shop, theirs))

        assert [each for each in results if isinstance(each, Exception)] == []
        found = ask(shop)
        assert found is not None
        assert found.serials == [face(theirs)["serialNumber"]]
        unregister(shop, theirs)


def test_versions_of_transactions_at_once_are_all_different(shop: Shop) -> None:
    taken: list[int] = []

    def take(_number: int) -> None:
        for _round in range(10):
            taken.append(shop.change(marks.next_version))

    results = at_once(4, take)

    assert results == [None] * 4
    assert sorted(taken) == list(range(1, 41))


def test_other_brand_sees_nothing(small: Shop) -> None:
    shown = face(small.apple())
    other = a_brand(small.runtime.database, "other")

    with small.runtime.database.reading(other) as session, pytest.raises(Unauthorized):
        devices.prove(session, shown["serialNumber"], shown["passTypeIdentifier"], shown["authenticationToken"])
    with small.runtime.database.reading(other) as session:
        assert session.scalars(select(WalletPass)).all() == []
