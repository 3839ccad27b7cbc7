"""How every route is fed: who calls it, and which of its parameters and fields are ids. One entry for each route.

In a value `@kind` is an id that must be refused with 404 or 401 when it is not the caller's own; `~kind` is one where
a page says the same as for an id that nobody has, and says it as a page (a typed code, a link with a slip in it).
"""

import json
from dataclasses import dataclass, field
from typing import Any

from app.fakes.wallet_chain import PASS_TYPE_ID
from tests.delivery.pushes import a_phone
from tests.walls.own import VISITS
from tests.walls.world import NOW, PASSWORD, RECEIPT, SERIAL, SERIAL_CENTS

PUSH = "https://push.leima.example"  # mapped, so that no name has to be looked up


@dataclass(frozen=True)
class Feed:
    """A call with the caller's own ids: it must succeed, and change something unless it is `still`."""

    door: str = "nobody"  # whose credential it carries
    url: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    form: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)  # JSON
    still: bool = False  # changes nothing, as any GET
    leaves: bool = False  # leads to the way in, since it signs out
    refused: int = 0  # with this status: no test of ids can sign as a provider does, or sends a file


def _member(**fields: Any) -> Feed:
    return Feed("member", {"slug": "@slug"}, **fields)


def _anybody(**fields: Any) -> Feed:
    return Feed("nobody", {"slug": "~slug"}, **fields)


SALE = {"receipt": "R-2", "occurred_at": "=now", "total_cents": 900}
BY_HAND = {"program": "coffee"}
LUNCHES = {"program": SERIAL, "price_cents": SERIAL_CENTS, "receipt": "R-2", "occurred_at": "=now"}
GIFT_CARD = {"reward": "gift-card", "value_cents": 2000, "receipt": "R-2", "occurred_at": "=now"}
PHONE = {"slug": "~slug", "device": "~phone", "pass_type": PASS_TYPE_ID}
NEWS = {f"{part}_{code}": "Open on Sunday" for part in ("header", "body") for code in ("fi", "sv", "en")} | {
    "days": "7"
}
NAMES = {f"{part}_{code}": "Visits" for part in ("name", "unit_one", "unit_many") for code in ("fi", "sv", "en")}
PROGRAM = {"kind": "visits", "source": "fields", "rule": "visit", "expires": "12", **NAMES}
OWN = {"program": "@program"}
DAYS = {"first": "2026-10-01", "last": "2026-10-31"}
SEEN = {"seen": json.dumps({"size": None, "reward_id": None, "rule": VISITS}), "newest": "1", "when": "now"}
GIFT = {"kind": "service", "icon": "cup", "valid_days": "30", **NAMES}
JOIN = {"contact": "new.person@mail.example", "age": "1", "consent_email": "1"}
TEXTS = {name: f"~wording_{name}" for name in ("terms", "privacy")} | {"wording_email": "~wording_email"}

FEEDS: dict[str, list[Feed]] = {
    # Files and probes: the same for everybody.
    "openapi.spec": [Feed()],
    "assets": [Feed(url={"tree": "=tree", "path": "tokens.css"})],
    "ops.alive": [Feed()],
    "ops.ready": [Feed()],
    "public.front": [Feed()],
    "public.favicon": [Feed()],
    # The till API.
    "api.scan": [Feed("api", body={"text": "@member"})],
    "api.ask": [Feed("api", {"scan": "@static"})],
    "api.state": [Feed("api", {"scan": "@scan"}), Feed("api", {"scan": "@static"})],
    "api.sign_up": [Feed("api", body={"contact": "till.person@mail.example", "age_confirmed": True})],
    "api.purchase": [
        Feed("api", body={"scan": "@scan", **SALE}),
        Feed("api", body={"member": "@member", "cashier": "@staff", **SALE}),
    ],
    "api.quote": [
        Feed("api", body={"scan": "@scan", "total_cents": 900}),
        Feed("api", body={"member": "@member", "cashier": "@staff", "total_cents": 900}),
    ],
    "api.batch": [
        Feed("api", body={"events": [{"key": "e", "occurred_at": NOW.isoformat(), "call": "/refunds", "body": {}}]})
    ],
    "member.answer": [
        Feed("member", {"slug": "@slug", "public_id": "@question"}, form={"answer": "allow"}),
        Feed("member", {"slug": "@slug", "public_id": "@question"}, form={"answer": "refuse"}),
    ],
    "member.reply": [
        Feed(
            "member",
            {"slug": "@slug", "public_id": "@coupon_id"},
            form={"answer": "yes", "seats": "1"},
            still=True,
            refused=409,
        )
    ],
    "api.stamp": [
        Feed("api", body={"scan": "@scan", "cashier": "@staff", **BY_HAND, "reason": "goodwill"}),
        Feed("api", body={"member": "@member", "cashier": "@staff", **BY_HAND, "reason": "goodwill"}),
    ],
    "api.move_cardboard": [
        Feed("api", body={"scan": "@scan", "cashier": "@staff", "stamps": 3, "approval": "=approval", **BY_HAND}),
        Feed("api", body={"member": "@member", "cashier": "@staff", "stamps": 3, "approval": "=approval", **BY_HAND}),
    ],
    "api.refund": [
        Feed("api", body={"purchase": "@purchase"}),
        Feed("api", body={"till": "@till", "receipt": RECEIPT, "local_date": "=today"}),
    ],
    "api.reserve": [Feed("api", {"code": "@coupon"})],
    "api.reverse": [Feed("api", {"redemption": "@redemption"})],
    "api.redeem": [
        Feed("api", {"code": "@coupon"}),
        Feed("api", {"code": "@coupon"}, body={"purchase": "@purchase"}),
    ],
    "api.sell_serial_card": [
        Feed("api", body={"scan": "@scan", **LUNCHES}),
        Feed("api", body={"member": "@member", "cashier": "@staff", **LUNCHES}),
    ],
    "api.sell_gift_card": [
        Feed("api", body={"scan": "@scan", **GIFT_CARD}),
        Feed("api", body={"member": "@member", "cashier": "@staff", **GIFT_CARD}),
        Feed("api", body=GIFT_CARD),
    ],
    "api.refund_gift_card": [Feed("api", {"gift_card": "@gift_card"})],
    "api.use_serial_card": [Feed("api", body={"scan": "@scan", "program": SERIAL})],
    "api.reverse_serial_use": [Feed("api", {"serial_use": "@serial_use"})],
    "api.refund_serial_card": [Feed("api", {"serial_card": "@serial_card"})],
    # The till page: what is typed is refused on the page itself.
    "till.login": [Feed()],
    "till.log_in": [Feed(form={"key": "=till_key"})],
    "till.log_out": [Feed("till", leaves=True)],
    "till.ping": [Feed("till")],
    "till.css": [Feed("till")],
    "till.idle": [Feed("till", query={"done": "~done"})],
    "till.scan": [
        Feed("till", form={"text": "~member"}),
        Feed("till", form={"text": "~coupon", "from": "~scan"}, still=True),
    ],
    "till.coupon": [Feed("till", {"reading": "@reading"}, query={"from": "~scan"})],
    "till.redeem": [
        Feed("till", form={"key": "w1", "scan": "@scan", "coupon": "~coupon_id"}),
        Feed("till", form={"key": "w1", "scan": "@scan", "code": "~coupon"}),
        Feed("till", form={"key": "w1", "from": "~scan_path", "code": "~coupon"}),
    ],
    "till.join": [Feed("till")],
    "till.do_join": [Feed("till", form={"key": "w1", "contact": "till.person@mail.example", "of_age": "yes"})],
    "till.scanned": [Feed("till", {"scan_id": "@scan"}, query={"redeemed": "~coupon_id", "done": "~done"})],
    "till.quote": [Feed("till", {"scan_id": "@scan"}, query={"total_cents": "900"})],
    "till.ask": [Feed("till", form={"scan": "@static"}, still=True)],  # it is asked already
    "till.asked": [Feed("till", {"scan_id": "@static"})],
    "till.purchase": [
        Feed("till", form={"key": "w1", "scan": "@scan", "amount": "9,00"}),
        Feed("till", form={"key": "w1", "scan": "@scan", "amount": "9,00", "code": "~reading"}),
        Feed(
            "till",
            form={
                "key": "w1",
                "scan": "@scan",
                "amount": "9,00",
                "approver": "~staff",
                "pin": "1111",
            },
            refused=403,
        ),
    ],
    "till.gift_cards": [Feed("till")],
    "till.sell_gift_card": [Feed("till", form={"key": "w1", "reward": "gift-card", "amount": "20,00"})],
    "till.undo": [
        Feed("till", form={"purchase": "@undo"}),
        Feed("till", form={"use": "@serial_use", "scan": "~scan"}),
        Feed("till", form={"serial": "@serial_card"}),
        Feed("till", form={"gift": "@gift_card"}),
    ],
    "till.use": [Feed("till", form={"key": "w1", "scan": "@scan", "program": SERIAL})],
    "till.cards": [Feed("till", {"scan_id": "@scan"})],
    "till.sell_card": [
        Feed("till", form={"key": "w1", "scan": "@scan", "item": f"serial:{SERIAL}:{SERIAL_CENTS}"}),
        Feed("till", form={"key": "w1", "scan": "@scan", "item": "gift:gift-card", "amount": "20,00"}),
    ],
    "till.take_back": [
        Feed("till", form={"scan": "@scan", "use": "@serial_use"}),
        Feed("till", form={"scan": "@scan", "serial": "@serial_card"}),
        Feed("till", form={"code": "~gift_reading"}),
    ],
    # Phones' wallets, with the token of the pass.
    "apple.register": [Feed("apple", {**PHONE, "serial": "@serial"}, body={"pushToken": "ab" * 32})],
    "apple.unregister": [Feed("apple", {**PHONE, "serial": "@serial"})],
    "apple.changed": [Feed("nobody", PHONE)],
    "apple.fetch": [Feed("apple", {"slug": "@slug", "pass_type": PASS_TYPE_ID, "serial": "@serial"})],
    "apple.take_log": [Feed("nobody", {"slug": "~slug"}, body={"logs": ["timed out"]})],
    # Google's callbacks, by signature: what is not signed is refused.
    "hooks.google": [Feed("nobody", {"slug": "~slug"}, still=True, refused=403)],
    # The brand's console.
    "brand.login": [Feed()],
    "brand.log_in": [Feed(form={"email": "=staff_email", "password": PASSWORD})],
    "brand.log_out": [Feed("brand", leaves=True)],
    "brand.dashboard": [Feed("brand")],
    "brand.members": [Feed("brand", query={"q": "~member_id"}), Feed("brand", query={"q": "~code"})],
    "brand.member": [Feed("brand", {"public_id": "@member_id"})],
    "brand.outlets": [Feed("brand"), Feed("brand", query={"q": "~till_id"})],
    "brand.people": [Feed("brand"), Feed("brand", query={"q": "~staff_id"})],
    "brand.wallet": [Feed("brand")],
    "brand.publish": [Feed("brand", form=NEWS)],
    "brand.stop_news": [Feed("brand", {"public_id": "@news"})],
    "brand.looks": [Feed("brand")],
    "brand.upload": [Feed("brand", {"name": "coupon"}, form={"which": "logo"}, still=True, refused=422)],
    "brand.back": [Feed("brand", {"name": "coupon"})],
    "brand.list_flags": [Feed("brand")],
    "brand.approve_flag": [Feed("brand", {"public_id": "@flag"})],
    "brand.reverse_flag": [Feed("brand", {"public_id": "@flag"})],
    "brand.programs": [Feed("brand")],
    "brand.program": [
        Feed("brand", OWN),
        Feed("brand", OWN, query={"version": "1"}),
        Feed("brand", OWN, query={"run": "@simulation"}),
    ],
    "brand.new_program": [Feed("brand"), Feed("brand", query={"kind": "bonus"})],
    "brand.make_program": [Feed("brand", form={**PROGRAM, "slug": "new-visits"})],
    "brand.edit_program": [Feed("brand", OWN), Feed("brand", OWN, query={"version": "1"})],
    "brand.save_program": [Feed("brand", OWN, form=PROGRAM), Feed("brand", OWN, form={**PROGRAM, "version": "1"})],
    "brand.preview_program": [Feed("brand", form=PROGRAM, still=True)],
    "brand.publish_version": [Feed("brand", OWN, form=SEEN)],
    "brand.move_version": [Feed("brand", {**OWN, "number": "1"}, form={"begins": "2026-12-01T12:00"})],
    "brand.withdraw_version": [Feed("brand", {**OWN, "number": "1"})],
    "brand.discard_draft": [Feed("brand", OWN)],
    "brand.simulate_version": [
        Feed("brand", OWN, form={**DAYS, "margin": "50"}),
        Feed("brand", OWN, form={**DAYS, "margin": "40", "again": "@simulation"}),
    ],
    "brand.rewards": [Feed("brand")],
    "brand.new_reward": [Feed("brand")],
    "brand.make_reward": [Feed("brand", form={**GIFT, "slug": "new-gift"})],
    "brand.reward": [Feed("brand", {"reward": "@reward"})],
    "brand.change_reward": [Feed("brand", {"reward": "@reward"}, form={**GIFT, "kind": "invitation", "seats": "20"})],
    "brand.grant_reward": [
        Feed("brand", {"public_id": "@member_id"}, form={"reward": "@reward", "reason": "thanks", "key": "K" * 26})
    ],
    # What a brand shows to everybody.
    "public.at_till": [Feed(url={"member_code": "~code"})],
    "public.css": [_anybody()],
    "public.wallet_badge": [Feed(url={"name": "apple-en.png"})],
    "public.service_worker": [_anybody()],
    "public.manifest": [_anybody()],
    "public.icon": [Feed(url={"slug": "~slug", "name": "192"})],
    "public.offline": [_anybody()],
    "public.terms": [_anybody()],
    "public.privacy": [_anybody()],
    # The way in.
    "entry.join": [_anybody(query={"source": "~source"})],
    "entry.do_join": [_anybody(form={**JOIN, **TEXTS, "source": "~source"})],
    "entry.sign_in_page": [_anybody()],
    "entry.ask_sign_in": [_anybody(form={"contact": "new.person@mail.example"})],
    "entry.sign_in_code": [Feed("browser", {"slug": "~slug"})],
    "entry.do_sign_in": [Feed("browser", {"slug": "~slug"}, form={"code": "~digits"})],
    "entry.confirm_page": [_anybody(query={"token": "~link"})],
    "entry.do_confirm": [
        Feed("browser", {"slug": "~slug"}, form={"code": "~digits"}),
        Feed("browser", {"slug": "~slug"}, form={"token": "~link"}),
    ],
    "entry.confirm_again": [Feed("newcomer", {"slug": "~slug"})],
    # The member's own pages.
    "member.card": [_member()],
    "member.card_json": [_member()],
    "member.coupons": [_member()],
    "member.activity": [_member()],
    "member.tiers": [_member()],
    "member.profile": [_member()],
    "member.rename": [_member(form={"first_name": "Kaisla"})],
    "member.change_birth_month": [_member(form={"birth_month": "6"})],
    "member.add_contact": [_member(form={"contact": "second.address@mail.example"})],
    "member.consent": [_member(form={"channel": "email", "action": "give", "wording": "~wording_email"})],
    "member.change_language": [_member(form={"lang": "sv"})],
    "member.end_device": [Feed("member", {"slug": "@slug", "device": "@device"})],
    "member.sign_out": [_member(leaves=True)],
    "member.subscribe": [_member(body=a_phone(f"{PUSH}/first").subscription())],
    "member.simulate": [_member()],
    "member.wallet_page": [_member()],
    "member.apple": [_member()],
    "member.apple_coupon": [Feed("member", {"slug": "@slug", "public_id": "@coupon_id"})],
    "member.simulated": [_member(still=True)],  # the demo's phone takes what is there
    "member.google": [_member()],
}

WRITES = {  # of calls that only look
    "apple.fetch": {"wallet_pass"},  # when it was fetched
    "member.apple": {"wallet_pass", "wallet_counter"},  # the first download makes the pass's row
    "member.apple_coupon": {"wallet_pass", "wallet_counter"},
    # The button is a link, since a form may not lead to Google: the card is made there before it is saved.
    "member.google": {"job", "wallet_channel", "wallet_class", "wallet_counter", "wallet_fault", "wallet_pass"},
    "ops.ready": {"counter"},  # the probe really writes, or a full disk would not show
}
