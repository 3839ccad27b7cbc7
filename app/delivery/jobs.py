"""Jobs that speak to people: codes by mail and SMS, stamps and coupons by push."""

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from app.cards.events import CardProgressed
from app.cards.views import cards
from app.core import clock
from app.core.db import brand_of, keyring
from app.core.i18n import format_day, pick, use_language
from app.core.jobs import sending_job
from app.core.log import log
from app.core.runtime import Runtime
from app.delivery import log as messages
from app.delivery import outgoing, subscriptions, texts
from app.delivery.channel import Channel, Envelope, PushKeys, Result
from app.delivery.models import PushSubscription
from app.delivery.texts import Text
from app.ledger.models import LedgerEntry
from app.members import allowing, lookup, sign_in
from app.members.events import ConfirmationAsked, ContactCodeAsked
from app.members.models import Member, ScanConfirmation
from app.network.models import Brand
from app.rewards.events import CouponIssued
from app.rewards.models import Coupon, Reward

DAY = 86_400  # seconds
RETRY_SECONDS = 5  # after a fault of the provider; the worker lets it grow


def finish(session: Session, results: Sequence[Result]) -> timedelta | None:
    """Write every result; return the longest pause that a provider asked for, None when nothing is to be sent again."""
    pauses = []
    for result in results:
        row = messages.end(session, result)
        if row is not None and row.state == "retry":
            pauses.append(result.retry_after or RETRY_SECONDS)
        if row is not None and row.channel == "push" and result.outcome == "gone" and row.subscription_id:
            subscriptions.drop(session, row.subscription_id)
        if result.outcome == "misconfigured":
            log.error("channel misconfigured", detail=result.detail)
    return timedelta(seconds=max(pauses)) if pauses else None


@sending_job("delivery.send_code", listens=ContactCodeAsked, retries=6, priority=1)
class SendCode:
    """Send a code and its link to the contact that asked for it."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    def prepare(self, session: Session, code_id: int) -> list[tuple[str, Envelope]]:
        """Write the message; nothing where the code is over or the contact heard it already."""
        due = sign_in.message(session, code_id)
        if due is None:
            messages.expire(session, dedupe=f"code:{code_id}")
            return []
        channel = "email" if due.kind == "email" else "sms"
        row = messages.begin(session, channel=channel, kind="code", dedupe=f"code:{code_id}", member_id=None)
        if row is None:
            return []
        if self._channel(channel) is None:
            messages.skip(session, row, "no_channel")
            return []
        brand = session.get_one(Brand, brand_of(session))
        with use_language(due.language):
            words = self._words(brand, due)
        return [
            (
                channel,
                Envelope(row.public_id, due.to, words.text, title=words.title, html=words.html, language=due.language),
            )
        ]

    def _words(self, brand: Brand, due: sign_in.Message) -> Text:
        base = self.runtime.settings.base_url
        if due.digits is None or due.link is None:
            return texts.no_card(brand=brand.name, link=f"{base}/{brand.slug}/join")
        link = f"{base}/{brand.slug}/confirm?token={due.link}"
        if not due.here:
            only_link = texts.link_mail if due.kind == "email" else texts.link_sms
            return only_link(brand=brand.name, link=link)
        if due.kind == "email":
            return texts.code_mail(brand=brand.name, code=due.digits, link=link, sign_in=due.purpose == "sign_in")
        return texts.code_sms(brand=brand.name, code=due.digits, host=urlsplit(base).hostname or "")

    def _channel(self, name: str) -> Channel | None:
        return outgoing.email_channel(self.runtime) if name == "email" else outgoing.sms_channel(self.runtime)

    def send(self, envelopes: list[tuple[str, Envelope]]) -> list[Result]:
        """Speak to the relay or the gateway."""
        results: list[Result] = []
        for name, envelope in envelopes:
            channel = self._channel(name)
            results += channel.send_batch([envelope]) if channel else []
        return results

    def finish(self, session: Session, results: list[Result]) -> timedelta | None:
        """Write what became of it."""
        return finish(session, results)


class Push:
    """What the push jobs share: one envelope for each browser, sent side by side."""

    kind = "push"

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    def envelopes(
        self,
        session: Session,
        member: Member,
        words: Text,
        *,
        about: str,
        topic: str,
        path: str,
        urgency: str,
        ttl: int = DAY,
    ) -> list[Envelope]:
        """Address a text to all of a member's browsers.

        Args:
            ttl: seconds that the push service keeps it for a phone that is away.
        """
        brand = session.get_one(Brand, brand_of(session))
        found = []
        for row in subscriptions.of_member(session, member.id):
            message = messages.begin(
                session,
                channel="push",
                kind=self.kind,
                dedupe=f"{about}:{row.id}",
                member_id=member.id,
                subscription_id=row.id,
                again=True,
            )
            if message is not None:
                found.append(
                    self._envelope(
                        session,
                        row,
                        message.public_id,
                        words,
                        member.language,
                        topic,
                        urgency,
                        f"/{brand.slug}/{path}",
                        ttl,
                    )
                )
        return found

    def _envelope(
        self,
        session: Session,
        row: PushSubscription,
        reference: str,
        words: Text,
        language: str,
        topic: str,
        urgency: str,
        path: str,
        ttl: int,
    ) -> Envelope:
        return Envelope(
            reference, keyring(session).text(row.endpoint), words.text, title=words.title, language=language,
            link=f"{self.runtime.settings.base_url}{path}", keys=PushKeys(row.p256dh, row.auth),
            topic=topic, tag=topic, urgency="high" if urgency == "high" else "normal", ttl=ttl,
        )  # fmt: skip

    def send(self, envelopes: list[Envelope]) -> list[Result]:
        """Encrypt and send to each browser's push service."""
        return outgoing.push_channel(self.runtime).send_batch(envelopes)

    def finish(self, session: Session, results: list[Result]) -> timedelta | None:
        """Write what became of it; a browser that is gone is forgotten."""
        return finish(session, results)


@sending_job("delivery.push_stamp", listens=CardProgressed, retries=5, unique_by="card", priority=3)
class PushStamp(Push):
    """Tell the phone what the card holds now; later ones replace earlier ones there."""

    kind = "stamp"

    def prepare(self, session: Session, member_id: int, program_id: int, entry_id: int, card: str) -> list[Envelope]:
        """Write the message from what the card holds at this moment; it ends those about what happened before."""
        member = session.get_one(Member, member_id)
        with use_language(member.language):
            shown = next((one for one in cards(session, member_id) if one.program.id == program_id), None)
            if shown is None:
                return []
            brand, entry = session.get_one(Brand, brand_of(session)), session.get_one(LedgerEntry, entry_id)
            words = texts.card_push(shown, entry=entry.kind, zone=brand.zone)
        messages.supersede(session, member_id=member_id, about=f"stamp:{card}", number=entry_id)
        return self.envelopes(
            session,
            member,
            words,
            about=f"stamp:{card}:{entry_id}",
            topic=f"card-{shown.program.slug}"[:32],
            path="",
            urgency="normal",
        )


@sending_job("delivery.push_coupon", listens=CouponIssued, retries=5, priority=2)
class PushCoupon(Push):
    """Tell the phone about a new coupon."""

    kind = "coupon"

    def prepare(self, session: Session, coupon_id: int, member_id: int) -> list[Envelope]:
        """Write the message; nothing when the coupon is over already."""
        coupon = session.get_one(Coupon, coupon_id)
        if coupon.state != "issued":
            return []
        member, reward = session.get_one(Member, coupon.member_id), session.get_one(Reward, coupon.reward_id)
        brand = session.get_one(Brand, brand_of(session))
        with use_language(member.language):
            until = format_day(clock.local_date(coupon.expires_at, brand.zone))
            words = texts.coupon_push(reward=pick(reward.name), until=until)
        topic = f"coupon-{coupon.public_id[-24:]}"  # at most 32 symbols; the end of an id differs most
        return self.envelopes(
            session, member, words, about=f"coupon:{coupon_id}", topic=topic, path="coupons", urgency="high"
        )


@sending_job("delivery.push_question", listens=ConfirmationAsked, retries=3, priority=1)
class PushQuestion(Push):
    """Tell the phone that a till asks something; the card shows it by itself where it is open."""

    kind = "question"

    def prepare(self, session: Session, confirmation_id: int) -> list[Envelope]:
        """Write the message; nothing when the question is answered or over."""
        row = session.get_one(ScanConfirmation, confirmation_id)
        member = lookup.live(session, row.member_id)
        asked = [one for one in allowing.questions(session, member) if one.public_id == row.public_id] if member else []
        if member is None or not asked:
            return []
        with use_language(member.language):
            words = texts.question_push(outlet=asked[0].outlet)
        left = int((row.ends_at - clock.now()).total_seconds())
        return self.envelopes(
            session, member, words, about=f"question:{row.id}", topic="question", path="", urgency="high", ttl=left
        )
