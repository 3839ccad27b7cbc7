"""Google's side of the passes: which objects are due, what Google gets, and what became of it.

An object is due while its `version` is above `synced`. A worker takes it for a short lease; what fails stays due.
Source: wallet.md, "Google".
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.core import clock, i18n
from app.core.db import brand_of
from app.core.events import emit
from app.core.runtime import Runtime
from app.members.events import MemberChanged
from app.network.models import Brand
from app.wallet import channels, classes, marks
from app.wallet.classes import ClassDue
from app.wallet.events import ObjectsDue
from app.wallet.google import (
    GoogleClient,
    ServiceAccount,
    ServiceAccountUnusable,
    TokenSource,
    Upsert,
    Upserted,
    object_payload,
)
from app.wallet.google.budget import About, kept, may_notify
from app.wallet.models import WalletPass
from app.wallet.outgoing import outbound
from app.wallet.shown import Reader, Shown
from app.wallet.tools import Tools

MOST = 100  # objects of one round
LEASE = timedelta(seconds=60)
UNUSED = timedelta(days=1)  # an object that nobody saved that long after the button was pressed is left alone
_TOKENS = "wallet_google_tokens"  # where the runtime keeps access tokens


@dataclass(frozen=True)
class ObjectDue:
    """An object that Google has to get in a version."""

    pass_id: int
    version: int
    upsert: Upsert
    class_id: int
    notified: datetime | None  # when this counts against the budget; None when nobody is told


@dataclass(frozen=True)
class Round:
    """What one round sends: classes before the objects of them, coupons before the cards that link them."""

    account: ServiceAccount = field(repr=False)
    classes: tuple[ClassDue, ...]
    coupons: tuple[ObjectDue, ...]
    cards: tuple[ObjectDue, ...]


@dataclass(frozen=True)
class Sent:
    """What became of one class or object."""

    due: ClassDue | ObjectDue
    result: Upserted


def claim(session: Session, runtime: Runtime, *, only: Sequence[int] = ()) -> list[Round]:
    """Take what is due at Google; nothing while its channel is paused or the account is bad.

    Args:
        only: these passes, whether or not others wait: a member stands before the button.
    """
    now = clock.now()
    rows = session.scalars(_due(now, only).with_for_update(skip_locked=True, key_share=True)).all()
    if not rows:
        _look_later(session)
        return []
    wait = channels.pause(session, "google")
    if wait is None:
        try:
            account = Tools.of(runtime).account(session)
        except ServiceAccountUnusable as error:
            wait = channels.failed(session, "google", error.code)
    if wait is not None:
        emit(session, ObjectsDue(brand_id=brand_of(session)), delay=wait)
        return []
    for row in rows:
        row.sending_until = now + LEASE
    session.flush()
    return [_round(session, runtime, account, rows, now)]


def _due(now: datetime, only: Sequence[int]) -> Any:
    wanted = select(WalletPass).where(
        WalletPass.kind == "google",
        WalletPass.version > WalletPass.synced,
        WalletPass.asked_at.is_not(None),
        WalletPass.removed_at.is_(None),
        or_(WalletPass.sending_until.is_(None), WalletPass.sending_until <= now),
    )
    return (wanted.where(WalletPass.id.in_(only)) if only else wanted).limit(MOST)


def _look_later(session: Session) -> None:
    """Look again when the lease of the first object ends: its worker may have died, or Google asked for a pause."""
    waiting = (
        WalletPass.kind == "google", WalletPass.version > WalletPass.synced, WalletPass.asked_at.is_not(None),
        WalletPass.removed_at.is_(None), WalletPass.sending_until.is_not(None),
    )  # fmt: skip
    until = session.scalar(select(func.min(WalletPass.sending_until)).where(*waiting))
    if until is not None:
        emit(session, ObjectsDue(brand_id=brand_of(session)), delay=max(until - clock.now(), timedelta()))


def _round(
    session: Session, runtime: Runtime, account: ServiceAccount, rows: Iterable[WalletPass], now: datetime
) -> Round:
    wanted: dict[int, ClassDue] = {}
    coupons: list[ObjectDue] = []
    cards: list[ObjectDue] = []
    for row in sorted(rows, key=lambda row: row.id):
        member = marks.live_member(session, row)
        if member is None:
            row.removed_at = now  # erased: nobody is shown anything any more
            continue
        reader = Reader(session, runtime, member)
        with i18n.use_language(reader.brand.default_language):
            common = reader.show(row)  # members of all languages share the class
        with i18n.use_language(member.language):
            shown = reader.show(row)
        if shown is None or common is None:
            row.removed_at = now
            continue
        klass = classes.of(session, runtime, row, common, account)
        if klass.changed:
            wanted[klass.row_id] = klass
        due = _object(row, shown, account, klass, now, about="coupon" if _brings_coupon(row, reader) else "stamp")
        (coupons if row.coupon_id is not None else cards).append(due)
    return Round(account, tuple(wanted.values()), tuple(coupons), tuple(cards))


def _brings_coupon(row: WalletPass, reader: Reader) -> bool:
    """Tell whether the member got a coupon since Google last took this card."""
    since = row.served_at or row.made_at
    return any(held.usable and held.coupon.issued_at > since for held in reader.coupons.values())


def _object(
    row: WalletPass, shown: Shown, account: ServiceAccount, klass: ClassDue, now: datetime, *, about: About
) -> ObjectDue:
    told = [datetime.fromisoformat(moment) for moment in row.notified]
    # The first content is no news, and a coupon's own object says nothing that its card does not say.
    notify = bool(row.synced) and row.coupon_id is None and may_notify(told, now, about)
    payload = object_payload(
        shown.template, shown.view, issuer_id=account.issuer_id, class_name=klass.name, serial=shown.serial,
        totp_secret=shown.secret or None, linked=shown.linked, places=shown.places, expires=shown.expires,
    )  # fmt: skip
    upsert = Upsert(klass.kind, "object", payload, notify)
    return ObjectDue(row.id, row.version, upsert, klass.row_id, now if notify else None)


def send(runtime: Runtime, rounds: Sequence[Round], *, seconds: float = 20) -> list[Sent]:
    """Speak to Google; no session is open. What hangs on something that failed is not sent."""
    sent: list[Sent] = []
    for one in rounds:
        client = client_of(runtime, one.account, seconds=seconds)
        sent += _send(client, one.classes)
        bad = {each.due.row_id for each in sent if isinstance(each.due, ClassDue) and not each.result.accepted}
        for part in (one.coupons, one.cards):
            sent += _send(client, [due for due in part if due.class_id not in bad])
    return sent


def _send(client: GoogleClient, dues: Sequence[ClassDue | ObjectDue]) -> list[Sent]:
    results = client.upsert_many([due.upsert for due in dues])
    return [Sent(due, result) for due, result in zip(dues, results, strict=True)]


def client_of(runtime: Runtime, account: ServiceAccount, *, seconds: float = 20) -> GoogleClient:
    """Return what speaks to Google for an account; its access tokens are kept while the process lives."""
    sources: dict[tuple[str, str], TokenSource] = runtime.shared.setdefault(_TOKENS, {})
    source = sources.setdefault((account.email, account.fingerprint), TokenSource(outbound(runtime), account))
    return GoogleClient(outbound(runtime), source, seconds=seconds)


def finish(session: Session, rounds: Sequence[Round], sent: Sequence[Sent]) -> None:
    """Write what became of each, and ask again for what is still due."""
    if not rounds:
        return
    results = {each.due.pass_id: each.result for each in sent if isinstance(each.due, ObjectDue)}
    refused: dict[int, Upserted] = {}  # classes; what hangs on them would only be sent in vain until it changes
    for each in sent:
        if isinstance(each.due, ClassDue) and each.result.accepted:
            classes.synced(session, each.due)
        elif isinstance(each.due, ClassDue) and each.result.outcome == "rejected":
            refused[each.due.row_id] = each.result
    taken = [due for one in rounds for due in (*one.coupons, *one.cards)]
    rows = {row.id: row for row in _locked(session, [due.pass_id for due in taken])}
    for due in taken:
        if (row := rows.get(due.pass_id)) is not None:
            row.sending_until = None
            result = results.get(due.pass_id) or refused.get(due.class_id)
            if result is not None:
                _end(session, row, due, result)
    session.flush()
    _channel(session, [each.result for each in sent])


def _locked(session: Session, ids: Sequence[int]) -> Sequence[WalletPass]:
    wanted = select(WalletPass).where(WalletPass.id.in_(ids)).order_by(WalletPass.id)
    return session.scalars(wanted.with_for_update(key_share=True).execution_options(populate_existing=True)).all()


def _end(session: Session, row: WalletPass, due: ObjectDue, result: Upserted) -> None:
    now = clock.now()
    if not result.accepted:
        if result.outcome == "rejected":
            row.synced = max(row.synced, due.version)  # the same again would be refused again
        return
    first = row.served_at is None
    row.synced, row.served_at = max(row.synced, due.version), now
    if due.notified is not None:
        row.notified = kept(row.notified, due.notified)
    if result.has_users and row.added_at is None:
        row.added_at = now  # its callback got lost
    if result.has_users is False and row.asked_at is not None and row.asked_at < now - UNUSED:
        row.removed_at = now
    if first and row.coupon_id is not None:
        emit(session, MemberChanged(member_id=row.member_id))  # now the card can link it


def _channel(session: Session, results: Sequence[Upserted]) -> None:
    stuck = [one for one in results if one.outcome in ("retry", "throttled", "misconfigured")]
    for one in results:
        if one.outcome == "rejected":
            channels.count_fault(session, one.reason)
    wait = timedelta()
    if stuck:
        longest = max((one.retry_after or 0 for one in stuck), default=0)
        wait = channels.failed(session, "google", stuck[0].reason, retry_after=longest)
    elif results:
        channels.worked(session, "google")
    brand = session.get_one(Brand, brand_of(session))
    if session.scalars(_due(clock.now(), ()).limit(1)).first() is not None:
        emit(session, ObjectsDue(brand_id=brand.id), delay=wait)
