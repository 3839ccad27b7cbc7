"""Wallet passes in the console: who has them, whether all is well, and the news that every card shows."""

from datetime import datetime, timedelta
from typing import Any

from flask import Response, g, redirect, request
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from app.core import clock, i18n, web
from app.core.errors import Forbidden, LeimaError, NotFound
from app.core.i18n import gettext as _
from app.core.i18n import ngettext
from app.doors.brand.door import blueprint, page
from app.wallet import checkup, figures, messages
from app.wallet import words as wallet_words
from app.wallet.models import WalletNews

MAY_CHANGE = ("brand_admin", "marketing")
LONGEST_NEWS = 60  # days


class NotYoursToChange(Forbidden):
    """Finance and sales look at the wallets and change nothing."""

    code = "not_yours_to_change"


def demand_role() -> None:
    """Refuse who may only look.

    Raises:
        NotYoursToChange
    """
    if g.staff.role not in MAY_CHANGE:
        raise NotYoursToChange(_("Only marketing and administrators may change the wallet passes."))


@blueprint.get("/wallet")
def wallet() -> Response:
    """Show how many members have which pass, every check by name, what failed, and the news."""
    return show()


def show(errors: dict[str, str] | None = None, status: int = 200) -> Response:
    """Show the page; `errors` name the form that was refused."""
    session = web.session()
    return page(
        "wallet", status, here="wallet", figures=_figures(), may_change=g.staff.role in MAY_CHANGE,
        checks=[
            {"name": one.name, "level": one.level, "detail": one.detail, "title": checkup.title(one.name)}
            for one in checkup.worst_first(_checks())
        ],
        asked="asked" in request.args,
        faults=[
            {"day": i18n.format_day(one.day, with_year=True), "code": one.code, "n": one.n,
             "text": wallet_words.fault(one.code)}
            for one in figures.faults(session)
        ],
        news=[_news(row) for row in _current()], languages=_languages(), errors=errors or {},
        form={name: request.form.get(name, "")[:600] for name in _fields()}, days=LONGEST_NEWS,
        notice=_notice(),
    )  # fmt: skip


def _checks() -> list[checkup.Finding]:
    """Look at everything; where the reader wishes it, ask our own address and Google too, which may take a while."""
    session, runtime = web.session(), web.runtime()
    if "asked" not in request.args:
        return list(checkup.check(session, runtime))
    with checkup.asking(runtime) as reach:
        return list(checkup.check(session, runtime, reach=reach, token=checkup.token_of(runtime)))


def _notice() -> str:
    return {
        "published": _("Published. Every card shows it within moments."),
        "stopped": _("Taken off the cards."),
        "saved": _("Saved. The cards on the phones change within moments."),
    }.get(request.args.get("done", ""), "")


def _figures() -> dict[str, Any]:
    found = figures.in_wallets(web.session())
    updated = i18n.format_datetime(found.updated_at, g.brand.zone) if found.updated_at else ""
    waiting = ngettext("%(n)s waits to be updated", "%(n)s wait to be updated", found.waiting) if found.waiting else ""
    told = _("%(saves)s saved, %(removals)s removed", saves=found.saves, removals=found.removals)
    return {
        "told": told if found.saves or found.removals else "",
        "apple": found.apple, "google": found.google, "either": found.either, "coupons": found.coupons,
        "phones": found.phones, "updated": updated, "waiting": waiting,
    }  # fmt: skip


def _languages() -> list[dict[str, str]]:
    names = {"fi": _("In Finnish"), "sv": _("In Swedish"), "en": _("In English")}
    return [{"code": code, "name": names[code]} for code in i18n.LANGUAGES if code in g.brand.languages]


def _fields() -> list[str]:
    return [f"{part}_{code}" for part in ("header", "body") for code in i18n.LANGUAGES] + ["days"]


def _current() -> list[WalletNews]:
    wanted = select(WalletNews).where(WalletNews.ends_at > clock.now())
    return sorted(web.session().scalars(wanted), key=lambda row: row.at, reverse=True)


def _news(row: WalletNews) -> dict[str, str]:
    return {
        "id": row.public_id, "header": i18n.pick(row.header), "body": i18n.pick(row.body),
        "since": _moment(row.at), "until": _moment(row.ends_at),
        "sent": _moment(row.sent_at) if row.sent_at else "",
    }  # fmt: skip


def _moment(moment: datetime) -> str:
    return i18n.format_datetime(moment, g.brand.zone)


@blueprint.post("/wallet/news")
def publish() -> Response | BaseResponse:
    """Put service news on every card."""
    demand_role()
    codes = g.brand.languages
    texts = {part: {code: request.form.get(f"{part}_{code}", "") for code in codes} for part in ("header", "body")}
    days = request.form.get("days", "")
    lasts = int(days) if days.isascii() and days.isdigit() and len(days) < 4 else 0
    ends_at = clock.now() + timedelta(days=min(lasts, LONGEST_NEWS))
    try:
        messages.publish(
            web.session(), header=texts["header"], body=texts["body"], ends_at=ends_at, staff_id=g.staff.id
        )
    except LeimaError as error:
        web.end_unit(keep=False)  # the page only reads: nobody waits for it to be drawn
        return show({"news": error.message}, error.status)
    return done("published")


@blueprint.post("/wallet/news/<public_id>/stop")
def stop_news(public_id: str) -> BaseResponse:
    """Take news off the cards."""
    demand_role()
    session = web.session()
    row = session.scalar(select(WalletNews).where(WalletNews.public_id == public_id))
    if row is None:
        raise NotFound(_("There is no such news."))
    messages.stop(session, row)
    return done("stopped")


def done(what: str) -> BaseResponse:
    """Go back to the page with a word about what was done."""
    return redirect(f"/brand/wallet?done={what}", 303)
