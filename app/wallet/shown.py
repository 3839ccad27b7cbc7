"""All that a pass shows at this moment: one model for Apple's builder, Google's payload and the hash of both.

The web app shows the same cards and coupons, by `cards.views` and `rewards.service`.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy.orm import Session

from app.cards import views
from app.cards.views import Card
from app.core.db import keyring
from app.core.runtime import Runtime
from app.members import lookup
from app.members.models import Member
from app.network import service as network
from app.rewards import service as rewards
from app.rewards.service import CouponView as HeldCoupon
from app.wallet import content, messages, places
from app.wallet.apple import Place
from app.wallet.model import PassView
from app.wallet.models import WalletPass
from app.wallet.templates import Template
from app.wallet.tools import Tools

CARD, BALANCE, COUPON = "stamp-card", "bonus-card", "coupon"  # templates


@dataclass(frozen=True)
class Shown:
    """What one pass shows. `secret` and `linked` are Google's: the card's moving code and its coupons' objects."""

    template: Template = field(repr=False)
    view: PassView
    serial: str
    voided: bool = False
    expires: datetime | None = None
    places: tuple[Place, ...] = ()
    secret: bytes = field(default=b"", repr=False)
    linked: tuple[str, ...] = ()

    @cached_property
    def fingerprint(self) -> str:
        """Return the hash of everything: equal content has an equal one, in every process."""
        facts: tuple[Any, ...] = (
            self.template.digest, self.view, self.serial, self.voided, self.expires, self.places, self.secret,
            self.linked,
        )  # fmt: skip
        return hashlib.sha256(repr(facts).encode()).hexdigest()


class Reader:
    """Reads what the passes of one member show; what they share is read once. Speak the member's language around it."""

    def __init__(self, session: Session, runtime: Runtime, member: Member) -> None:
        self.session = session
        self.runtime = runtime
        self.member = member

    def show(self, row: WalletPass) -> Shown | None:
        """Return what a pass shows; None when its card or coupon is no more."""
        if row.coupon_id is not None:
            held = self.coupons.get(row.coupon_id)
            return self.coupon(row, held) if held else None
        card = self.cards.get(row.program_id or 0)
        return self.card(row, card) if card else None

    def card(self, row: WalletPass, card: Card) -> Shown:
        """Return what a card's pass shows."""
        google = row.kind == "google"
        view = content.card_view(
            self.session, self.member, card, brand=self.brand, base_url=self.base_url,
            coupons=list(self.coupons.values()), message=messages.newest(self.session, row, member_id=self.member.id),
        )  # fmt: skip
        return Shown(
            self.template(CARD if card.kind == "stamp_card" else BALANCE), view, row.serial, places=self.places,
            secret=keyring(self.session).decrypt(self.member.totp_secret) if google else b"",
            linked=self.linked if google else (),
        )  # fmt: skip

    def coupon(self, row: WalletPass, held: HeldCoupon) -> Shown:
        """Return what a coupon's pass shows; one that cannot be used any more is void."""
        view = content.coupon_view(self.session, self.member, held, brand=self.brand, base_url=self.base_url)
        expires = held.coupon.expires_at
        return Shown(
            self.template(COUPON), view, row.serial, voided=not held.usable, expires=expires, places=self.places
        )

    def template(self, name: str) -> Template:
        """Return the brand's template, its own or Leima's."""
        return Tools.of(self.runtime).template(self.session, name)

    @property
    def base_url(self) -> str:
        """Return the address of this service."""
        return self.runtime.settings.base_url

    @cached_property
    def brand(self) -> Any:
        """Return the member's brand."""
        return network.brand_by_id(self.session, self.member.brand_id)

    @cached_property
    def cards(self) -> dict[int, Card]:
        """Return the member's cards by program."""
        return {card.program.id: card for card in views.cards(self.session, self.member.id)}

    @cached_property
    def coupons(self) -> dict[int, HeldCoupon]:
        """Return the member's coupons by id, usable ones first."""
        return {held.coupon.id: held for held in rewards.of_member(self.session, self.member.id)}

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Return the outlets that mean most to the member."""
        return places.places(self.session, self.member, lookup.family(self.session, self.member.id))

    @cached_property
    def linked(self) -> tuple[str, ...]:
        """Return the objects of the coupons that can be used, in the order of the card."""
        usable = [coupon_id for coupon_id, held in self.coupons.items() if held.usable]
        return content.objects_of(self.session, usable)
