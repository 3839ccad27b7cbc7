"""Notifications: asked for after the first stamp, subscribed for real, delivered and shown."""

import json
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser import steps
from tests.browser.gcm import ORIGINS, Gcm
from tests.browser.service import Service
from tests.browser.windows import Windows

SHOWN = """async () => (await (await navigator.serviceWorker.ready).getNotifications())
    .map((one) => ({title: one.title, body: one.body, tag: one.tag, navigate: one.data.navigate}))"""
SUBSCRIBED = """async () => (await (await navigator.serviceWorker.ready).pushManager.getSubscription()).endpoint"""


def _asked_after_first_stamp(phone: Page, service: Service, contact: str) -> str:
    """Join, get a stamp, press the button; return the code to say."""
    steps.join(phone, service, contact)
    assert phone.locator("[data-push]").count() == 0  # never asked at joining
    said = steps.spoken(phone)
    steps.buy(service, said, 450)
    phone.get_by_role("button", name="Turn on notifications").click()
    return said


def test_phone_that_cannot_reach_its_push_service_is_simulated_and_hears_of_stamp_and_coupon(
    service: Service, windows: Windows
) -> None:
    phone = windows.install("phone")
    said = _asked_after_first_stamp(phone, service, "push@example.com")
    expect(phone.locator("[data-push-say=simulated]")).to_be_visible(timeout=20_000)  # after its own patience
    expect(phone.locator("[data-push]")).to_have_count(0)
    before = len(service.outbox("push"))

    began = time.monotonic()
    steps.buy(service, said, 4200)
    came = steps.wait_for(lambda: _two(service, before), "a stamp and a coupon on the phone", seconds=10)

    assert time.monotonic() - began < 3
    stamp, coupon = came["card"], came["coupon"]
    assert (stamp["title"], stamp["text"]) == ("Coffee card: 1/10", "Free coffee after 9 more")
    assert stamp["facts"]["notification"]["navigate"] == f"{service.base}/meri/"
    assert (stamp["facts"]["topic"], stamp["facts"]["urgency"]) == ("card-coffee", "normal")
    assert coupon["title"] == "You have a coupon: Free coffee"
    assert coupon["text"].startswith("Show it at the till. Good until ")
    assert coupon["facts"]["notification"]["navigate"] == f"{service.base}/meri/coupons"
    assert coupon["facts"]["urgency"] == "high"


def _two(service: Service, before: int) -> dict[str, dict[str, Any]] | None:
    messages = service.outbox("push")
    found = {message["facts"]["topic"].split("-")[0]: message for message in messages[: len(messages) - before]}
    return found if {"card", "coupon"} <= set(found) else None


def test_real_subscription_is_sent_to_and_a_delivered_push_is_shown(
    service: Service, windows: Windows, gcm: Gcm
) -> None:
    phone = windows.install("real", flags=gcm.flags)
    with phone.expect_response("**/meri/push") as waiting:
        code = _asked_after_first_stamp(phone, service, "real@example.com")
    assert waiting.value.status == 204
    expect(phone.locator("[data-push-say=on]")).to_be_visible()
    assert phone.evaluate(SUBSCRIBED).startswith(ORIGINS)

    steps.buy(service, code, 450)
    sent = steps.wait_for(lambda: next(iter(gcm.messages), None), "a message at the push service")
    assert (sent["content-encoding"], sent["topic"], sent["urgency"]) == ("aes128gcm", "card-coffee", "normal")
    assert sent["authorization"].startswith("vapid t=")

    link = f"{service.base}/meri/coupons"
    said = {"title": "+1 stamp", "body": "Coffee card: 2/10.", "navigate": link, "lang": "en", "tag": "card-coffee"}
    deliver = _delivery(phone, service, {"web_push": 8030, "notification": said})
    deliver()
    try:
        shown = steps.wait_for(lambda: phone.evaluate(SHOWN), "the notification", seconds=5)
    except AssertionError:  # a busy browser may drop what it is handed while the worker starts; the tag replaces
        deliver()
        shown = steps.wait_for(lambda: phone.evaluate(SHOWN), "the notification")
    assert shown == [{name: said[name] for name in ("title", "body", "tag", "navigate")}]


def _delivery(page: Page, service: Service, message: dict[str, Any]) -> Callable[[], object]:
    """Return what hands a push message to the service worker, decrypted as the browser would."""
    session = page.context.new_cdp_session(page)
    registrations: list[str] = []
    session.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: registrations.extend(one["registrationId"] for one in event["registrations"]),
    )
    session.send("ServiceWorker.enable")
    steps.wait_for(lambda: page.evaluate("1") and registrations, "the service worker")  # events come while we ask
    delivery = {"origin": service.base, "registrationId": registrations[-1], "data": json.dumps(message)}
    return lambda: session.send("ServiceWorker.deliverPushMessage", delivery)
