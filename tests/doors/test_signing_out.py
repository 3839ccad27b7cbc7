"""A device that is signed out: no pushes any more, and its code at the till only earns."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from app.core import clock, sessions
from app.core.crypto import totp, totp_step
from app.core.db import keyring
from app.core.outbound import Outbound
from app.delivery import subscriptions
from app.delivery.channel import PushKeys
from app.delivery.webpush import PUSH_HOSTS
from app.fakes.phone import SimulatedPhone
from app.members import codes, lookup, scans
from app.members import service as members
from app.members.models import ContactCode, Member
from app.network.models import Brand, Till
from app.rewards.models import Coupon, Reward
from tests.builders import a_newcomer
from tests.doors.shop import ORIGIN, Shop


@dataclass(frozen=True)
class Phone:
    """A browser that is logged in to the shop's member and lets itself be pushed to."""

    client: FlaskClient
    endpoint: str
    login_id: int
    public_id: str

    def version(self) -> str:
        """Return the version of what this phone shows."""
        return str(self.client.get("/meri/card.json").json["etag"])  # type: ignore[index]


def a_phone(shop: Shop, name: str, member_id: int | None = None) -> Phone:
    """Log a phone in and subscribe it."""
    subject, client = member_id or shop.member_id, shop.client.application.test_client()
    with shop.database.unit(shop.brand_id) as session:
        token = sessions.start(session, door="member", subject_id=subject, lasts=timedelta(days=1), device=name)
        login = sessions.of_subject(session, door="member", subject_id=subject)[0]
        subscriptions.subscribe(
            session, session.get_one(Member, subject), endpoint=f"https://push.example/{name}",
            keys=PushKeys("a", "b"), login_id=login.id,
        )  # fmt: skip
    client.set_cookie("leima-member-meri", token)
    return Phone(client, f"https://push.example/{name}", login.id, login.public_id)


def pushed_to(shop: Shop) -> set[str]:
    """Return the endpoints that the next push goes to."""
    with shop.database.reading(shop.brand_id) as session:
        rows = subscriptions.of_member(session, shop.member_id)
        return {keyring(session).text(row.endpoint) for row in rows}


def secret_of(session: Session, member_id: int) -> bytes:
    """Return the secret of a member's moving code."""
    return keyring(session).decrypt(session.get_one(Member, member_id).totp_secret)


@pytest.fixture
def phones(shop: Shop) -> tuple[Phone, Phone]:
    """The phone in the hand, and one that is lost."""
    return a_phone(shop, "here"), a_phone(shop, "lost")


@pytest.mark.parametrize("how", ["there", "here"])
def test_phone_that_is_signed_out_is_not_pushed_to_and_shows_a_code_that_only_earns(
    shop: Shop, phones: tuple[Phone, Phone], how: str
) -> None:
    stays, goes = phones
    known = stays.version()
    if how == "there":
        answer = stays.client.post(f"/meri/profile/devices/{goes.public_id}/sign-out", headers=ORIGIN)
    else:
        answer = goes.client.post("/meri/sign-out", headers=ORIGIN)
    assert answer.status_code == 303

    assert pushed_to(shop) == {stays.endpoint}
    assert stays.version() != known  # the open page of the other phone learns that it must fetch the new secret
    with shop.database.unit(shop.brand_id) as session:
        assert secret_of(session, shop.member_id) != b"s" * 20
        old = f"{shop.code}.{totp(b's' * 20, totp_step(clock.now()))}"
        new = f"{shop.code}.{totp(secret_of(session, shop.member_id), totp_step(clock.now()))}"
        till = session.scalars(select(Till)).first()
        assert till is not None
        told = [(scan.may_redeem, scan.note) for scan in (scans.read(session, text, till=till) for text in (old, new))]
    assert told == [(False, "code_stale"), (True, None)]


def test_secrets_of_merged_cards_are_renewed_too(shop: Shop) -> None:
    with shop.database.unit(shop.brand_id) as session:
        kept = session.get_one(Member, shop.member_id)
        newcomer = a_newcomer(session).member
        members.absorb(session, newcomer, kept)
        known = secret_of(session, newcomer.id)

        members.renew_secrets(session, kept)

        assert secret_of(session, newcomer.id) != known


def test_log_in_that_has_run_out_is_not_pushed_to(shop: Shop, phones: tuple[Phone, Phone]) -> None:
    assert pushed_to(shop) == {phone.endpoint for phone in phones}

    with clock.moved(by=timedelta(days=2)):
        assert pushed_to(shop) == set()


def test_phone_stays_subscribed_when_a_confirmation_gives_it_a_new_log_in(shop: Shop) -> None:
    phone = a_phone(shop, "here")
    assert (
        phone.client.post("/meri/profile/contacts", data={"contact": "b@example.com"}, headers=ORIGIN).status_code
        == 303
    )
    with shop.database.reading(shop.brand_id) as session:
        digits = keyring(session).text(session.scalars(select(ContactCode.code)).one())

    assert phone.client.post("/meri/confirm", data={"code": digits}, headers=ORIGIN).location == "/meri/"

    assert pushed_to(shop) == {phone.endpoint}
    assert phone.client.post("/meri/sign-out", headers=ORIGIN).status_code == 303
    assert pushed_to(shop) == set()


def test_phone_that_signs_in_to_another_card_brings_no_subscription_along(shop: Shop) -> None:
    phone = a_phone(shop, "here")
    form = {"contact": "new@example.com", "age": "1"}
    assert phone.client.post("/meri/join", data=form, headers=ORIGIN).location == "/meri/"

    assert pushed_to(shop) == set()


def test_merged_phone_stays_subscribed(shop: Shop) -> None:
    with shop.database.unit(shop.brand_id) as session:
        newcomer = a_newcomer(session).member
    phone = a_phone(shop, "newcomer", newcomer.id)
    with shop.database.unit(shop.brand_id) as session:
        members.absorb(session, session.get_one(Member, newcomer.id), session.get_one(Member, shop.member_id))
        subscriptions.move(session, member_id=newcomer.id, into_id=shop.member_id)

    assert pushed_to(shop) == {phone.endpoint}


def test_link_in_another_browser_says_where_to_go_and_has_no_button(shop: Shop) -> None:
    asker, reader = (shop.client.application.test_client() for _ in range(2))
    form = {"contact": "victim@example.com", "age": "1"}
    assert asker.post("/meri/join", data=form, headers=ORIGIN).status_code == 303
    with shop.database.reading(shop.brand_id) as session:
        row = session.scalars(select(ContactCode)).one()
        link = keyring(session).text(row.link)

    shown = reader.get(f"/meri/confirm?token={link}", headers=ORIGIN)
    pressed = reader.post("/meri/confirm", data={"token": link}, headers=ORIGIN)

    for answer, status in ((shown, 200), (pressed, 409)):
        assert answer.status_code == status
        assert "go back to where you asked" in answer.text
        assert 'name="token"' not in answer.text
    assert 'name="token"' in asker.get(f"/meri/confirm?token={link}", headers=ORIGIN).text
    with shop.database.reading(shop.brand_id) as session:
        member = lookup.live(session, row.member_id or 0)
        assert member is not None
        assert member.state == "provisional"
        assert codes.by_link(session, link) is not None


def test_card_with_four_contacts_gets_one_welcome_gift(shop: Shop) -> None:
    with shop.database.unit(shop.brand_id) as session:
        session.get_one(Brand, shop.brand_id).welcome_reward_id = session.scalars(select(Reward.id)).one()
    client = shop.client.application.test_client()
    assert client.post("/meri/join", data={"contact": "a0@example.com", "age": "1"}, headers=ORIGIN).status_code == 303
    for number in range(1, 4):
        client.post("/meri/profile/contacts", data={"contact": f"a{number}@example.com"}, headers=ORIGIN)
    for _ in range(4):
        with shop.database.reading(shop.brand_id) as session:
            still = select(ContactCode).where(ContactCode.used_at.is_(None)).order_by(ContactCode.id.desc())
            digits = keyring(session).text(session.scalars(still).all()[0].code)
        assert client.post("/meri/confirm", data={"code": digits}, headers=ORIGIN).location == "/meri/"

    with shop.database.reading(shop.brand_id) as session:
        gifts = select(func.count()).select_from(Coupon).where(Coupon.source_kind == "welcome")
        assert session.scalar(gifts) == 1


@pytest.mark.parametrize("path", ["join", "profile/name", "profile/contacts"])
def test_page_of_a_refused_form_is_drawn_without_the_write_lock(shop: Shop, path: str) -> None:
    phone = a_phone(shop, "here")
    begun: list[str] = []

    def note(_connection: object, _cursor: object, sql: str, *_others: object) -> None:
        if sql.startswith("BEGIN"):
            begun.append(sql)

    event.listen(shop.database.engine, "before_cursor_execute", note)
    form = {"contact": "nobody", "age": "1", "first_name": "n" * 99}
    assert phone.client.post(f"/meri/{path}", data=form, headers=ORIGIN).status_code == 422
    event.remove(shop.database.engine, "before_cursor_execute", note)

    assert begun[-1] == "BEGIN"


def test_member_who_withdraws_notifications_gets_none_until_asking_for_them_again(shop: Shop) -> None:
    phone = a_phone(shop, "one")
    keys = SimulatedPhone("https://fcm.googleapis.com/fcm/send/x", name="one").subscription()["keys"]
    posted = {"endpoint": "https://fcm.googleapis.com/fcm/send/x", "keys": keys}
    mapped = Outbound(allowed=PUSH_HOSTS, mapping={"https://fcm.googleapis.com": "http://127.0.0.1:9"})  # no look-up
    shop.client.application.extensions["leima"].shared["outbound"] = mapped
    phone.client.post("/meri/profile/consents", data={"channel": "push", "action": "give"}, headers=ORIGIN)

    phone.client.post("/meri/profile/consents", data={"channel": "push", "action": "withdraw"}, headers=ORIGIN)
    after_withdrawing = pushed_to(shop)
    assert phone.client.post("/meri/push", json={**posted, "again": True}, headers=ORIGIN).status_code == 204
    after_a_start = pushed_to(shop)
    assert phone.client.post("/meri/push", json=posted, headers=ORIGIN).status_code == 204

    assert (after_withdrawing, after_a_start, pushed_to(shop)) == (set(), set(), {posted["endpoint"]})
