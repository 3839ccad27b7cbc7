"""Google's side from the button to the phone: classes and objects by REST, patches, coupons, budget, outages."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.core import clock
from app.core.db import Database
from app.core.settings import Settings
from app.fakes.wallet_chain import ISSUER_ID, WalletChain
from app.members import service as members
from app.members.models import Member
from app.network.models import Till
from app.rewards import service as rewards
from app.wallet.google import SHORT_LINK
from app.wallet.models import WalletChannel, WalletFault
from tests.builders import a_member
from tests.wallet.googleside import GoogleShop, google_shop, is_id_link
from tests.wallet.shop import SIZE

SOON, HOUR = timedelta(seconds=2), timedelta(hours=1)


@pytest.fixture
def at(database: Database, settings: Settings, chain: WalletChain) -> Iterator[GoogleShop]:
    with google_shop(database, settings, chain) as found:
        yield found


@pytest.fixture
def one(sqlite: Database, settings: Settings, chain: WalletChain) -> Iterator[GoogleShop]:
    """The same where the kind of database makes no difference."""
    with google_shop(sqlite, settings, chain) as found:
        yield found


def later(at: GoogleShop, by: timedelta = SOON) -> None:
    with at.moved(by):
        at.work()


def test_button_makes_class_and_object_first_and_the_link_holds_ids_only(at: GoogleShop) -> None:
    at.shop.buy("1", cents=1200)

    link = at.press()

    assert len(link) < SHORT_LINK
    assert is_id_link(link)
    assert at.balance() == f"3/{SIZE}"
    (klass,) = at.google.classes.values()
    assert klass["reviewStatus"] == "UNDER_REVIEW"
    assert klass["callbackOptions"]["url"] == "http://localhost:8000/hooks/google/meri"
    assert "Saved in the simulated Google Wallet" in at.save(link)
    assert at.card()["hasUsers"] is True


def test_second_press_asks_google_nothing_new(at: GoogleShop) -> None:
    first = at.press()
    asked = len(at.google.requests)

    second = at.press()

    assert len(at.google.requests) == asked
    assert is_id_link(first)
    assert is_id_link(second)


def test_stamp_patches_the_object_and_several_in_a_moment_are_one_patch(at: GoogleShop) -> None:
    at.save(at.press())
    at.google.requests.clear()
    for receipt in range(3):
        at.shop.buy(str(receipt))

    later(at)

    assert at.balance() == f"3/{SIZE}"
    assert [method for method, path, _status in at.google.requests if "Object/" in path] == ["PATCH"]


def test_filled_card_brings_its_coupon_as_an_object_linked_to_the_card(at: GoogleShop) -> None:
    at.save(at.press())
    at.shop.buy("1", cents=400 * SIZE)

    later(at)
    later(at, 2 * SOON)  # the card links the coupon once Google has it

    (linked,) = at.card()["linkedObjectIds"]
    coupon = at.google.objects[linked]
    assert coupon["state"] == "ACTIVE"
    with at.shop.runtime.database.reading(at.shop.brand_id) as session:
        (held,) = rewards.of_member(session, at.shop.member_id)
    assert coupon["barcode"]["value"] == held.code
    assert coupon["validTimeInterval"]["end"]["date"].startswith(held.coupon.expires_at.strftime("%Y-%m-%dT"))


def test_used_coupon_is_completed_and_no_longer_linked(at: GoogleShop) -> None:
    at.save(at.press())
    at.shop.buy("1", cents=400 * SIZE)
    later(at)
    later(at, 2 * SOON)
    (linked,) = at.card()["linkedObjectIds"]

    def redeem(session: object) -> None:
        till = session.scalars(select(Till).order_by(Till.id).limit(1)).one()  # type: ignore[attr-defined]
        (held,) = rewards.of_member(session, at.shop.member_id)  # type: ignore[arg-type]
        rewards.redeem(session, held.code, till=till)  # type: ignore[arg-type]

    at.shop.change(redeem)
    later(at, 3 * SOON)

    assert at.google.objects[linked]["state"] == "COMPLETED"
    assert at.card()["linkedObjectIds"] == []
    assert at.card()["textModulesData"] == []


def test_notifications_stay_within_three_in_a_day_and_the_third_is_for_a_coupon(at: GoogleShop) -> None:
    at.save(at.press())
    for number in range(4):
        at.shop.buy(f"s{number}")
        later(at, SOON * (number + 1))
    (name,) = at.google.wallet.notified
    assert len(at.google.wallet.notified[name]) == 2  # stamps may use two of three

    with at.moved(SOON * 5):
        at.shop.buy("fill", cents=400)
    later(at, SOON * 6)

    assert len(at.google.wallet.notified[name]) == 3
    assert at.google.wallet.over_budget == []
    assert at.balance() == f"0/{SIZE}"


def test_new_secret_after_a_sign_out_reaches_googles_moving_code(one: GoogleShop) -> None:
    one.save(one.press())
    before = one.card()["rotatingBarcode"]["totpDetails"]["parameters"]

    one.shop.change(lambda session: members.renew_secrets(session, session.get_one(Member, one.shop.member_id)))
    later(one)

    after = one.card()["rotatingBarcode"]["totpDetails"]["parameters"]
    assert before != after


def test_members_of_several_languages_share_a_class_that_stays_as_it_is(one: GoogleShop) -> None:
    other = one.shop.change(lambda session: a_member(session, language="sv").id)
    one.press()
    before = dict(one.google.classes)

    one.press(other)

    assert one.google.classes == before
    assert not [path for method, path, _status in one.google.requests if method == "PATCH" and "Class/" in path][1:]


@pytest.mark.parametrize("status", [500, 503, 429, 403])
def test_without_googles_api_the_whole_card_is_in_the_link(one: GoogleShop, status: int) -> None:
    one.google.tell(status, times=99, path="/walletobjects/")

    link = one.press()

    assert not is_id_link(link)
    one.google.tell_nothing()
    assert "Saved in the simulated Google Wallet" in one.save(link)
    assert one.balance() == f"0/{SIZE}"


def test_card_saved_while_the_api_was_away_follows_its_class_afterwards(one: GoogleShop) -> None:
    one.google.tell(503, times=99, path="/walletobjects/")
    one.save(one.press())
    one.google.tell_nothing()
    bare = one.google.classes[one.card()["classId"]]
    assert "callbackOptions" not in bare

    with one.moved(timedelta(minutes=2)):
        one.work()

    assert list(one.google.classes) == [one.card()["classId"]]
    assert one.google.classes[one.card()["classId"]]["callbackOptions"]["url"].endswith("/hooks/google/meri")


def test_class_that_google_refuses_is_asked_once_for_each_change(one: GoogleShop) -> None:
    one.google.tell(400, times=99, path="loyaltyClass")
    link = one.press()
    assert not is_id_link(link)
    before = len(one.google.requests)
    for minute in range(1, 5):
        with one.moved(timedelta(minutes=minute)):
            one.work()
    assert len(one.google.requests) == before

    one.google.tell_nothing()
    one.shop.buy("1")
    later(one)

    assert one.balance() == f"1/{SIZE}"


def test_ended_token_is_renewed_and_the_call_repeated(one: GoogleShop) -> None:
    one.save(one.press())
    one.google.end_tokens()
    one.shop.buy("1")

    later(one)

    assert one.balance() == f"1/{SIZE}"
    assert one.google.tokens == 2


def test_token_is_renewed_before_it_ends(one: GoogleShop) -> None:
    one.save(one.press())
    one.shop.buy("1")

    with one.moved(timedelta(minutes=56)):
        one.work()

    assert one.google.tokens == 2
    assert [status for _method, _path, status in one.google.requests if status == 401] == []


def test_google_down_for_an_hour_loses_nothing_and_each_card_is_patched_once(at: GoogleShop) -> None:
    at.save(at.press())
    at.google.tell(503, times=10_000)
    for minute in range(0, 66, 6):
        with at.moved(timedelta(minutes=minute)):
            at.shop.buy(f"m{minute}")
        with at.moved(timedelta(minutes=minute) + SOON):
            at.work()
    assert at.balance() == f"0/{SIZE}"
    with at.shop.runtime.database.reading(at.shop.brand_id) as session:
        (channel,) = session.scalars(select(WalletChannel).where(WalletChannel.kind == "google"))
        assert channel.fault == "google_unavailable"
        assert session.scalars(select(WalletFault)).all()
    at.google.tell_nothing()
    at.google.requests.clear()

    for minute in range(68, 74, 2):
        with at.moved(timedelta(minutes=minute)):
            at.work()

    card = next(row for row in at.rows() if row.program_id is not None)
    patched = [path for method, path, _s in at.google.requests if method == "PATCH" and card.serial in path]
    # Once for all that happened, and once more to link the coupons that Google has only now.
    assert len(patched) <= 2
    assert at.balance() == f"1/{SIZE}"
    assert len(at.card()["linkedObjectIds"]) == 2


def test_removed_card_is_left_alone_until_it_is_saved_again(one: GoogleShop) -> None:
    one.save(one.press())
    (row,) = one.rows()
    one.shop.change(lambda session: setattr(session.get_one(type(row), row.id), "removed_at", clock.now()))
    one.google.requests.clear()
    one.shop.buy("1")
    later(one)
    assert one.google.requests == []

    one.press()

    assert one.balance() == f"1/{SIZE}"


def test_object_that_google_lost_is_made_again(one: GoogleShop) -> None:
    one.save(one.press())
    one.google.objects.clear()
    one.shop.buy("1")

    later(one)

    assert one.balance() == f"1/{SIZE}"
    assert one.card()["classId"].startswith(f"{ISSUER_ID}.meri.")
