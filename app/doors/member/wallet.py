"""The card and its coupons for the phone's own wallet."""

from functools import cache
from pathlib import Path
from typing import Any

from flask import Response, g, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from app.cards import views
from app.core import i18n, web
from app.core.errors import NotFound
from app.core.i18n import gettext as _
from app.doors.apple import pass_response
from app.doors.member import shape
from app.doors.member.card import version
from app.doors.member.devices import platform
from app.doors.member.home import blueprint, me, shell
from app.wallet import google_link
from app.wallet import service as wallet

PICTURES = {".svg": "image/svg+xml", ".png": "image/png"}
GOOGLE = "https://pay.google.com"
SIMULATED = "simulated_iphone"  # of the runtime's shared things: the demo's phone takes a pass


@blueprint.get("/wallet")
def wallet_page() -> Response:
    """Offer the wallets that work here, the phone's own first, and say which have the card already."""
    session = web.session()
    member, kind = me(session), platform()
    offered = wallet.available(session, web.runtime())
    here = f"{web.runtime().settings.base_url}/{g.brand.slug}/wallet"
    return web.page(
        "member/wallet.html",
        me=shell(session, member),
        etag=version(session, member),
        platform=kind,
        cards=[{"name": card.name, "slug": card.program.slug} for card in views.cards(session, member.id)],
        offered={"apple": offered.apple, "google": offered.google},
        added=wallet.added(session, member.id),
        badges={name: badge(name, i18n.language()) for name in ("apple", "google")},
        demo=wallet.is_self_made(session, web.runtime()),
        simulated=SIMULATED in web.runtime().shared,
        qr=shape.qr(here) if kind == "other" else None,
    )


@blueprint.get("/wallet/card.pkpass")
def apple() -> Response:
    """Return the signed card, the first one unless `program` names another; the same serial each time."""
    session = web.session()
    program = request.args.get("program") or None
    return pass_response(wallet.apple_pass(session, web.runtime(), me(session), program_slug=program))


@blueprint.get("/wallet/coupons/<public_id>.pkpass")
def apple_coupon(public_id: str) -> Response:
    """Return a coupon's own signed pass."""
    session = web.session()
    return pass_response(wallet.coupon_pass(session, web.runtime(), me(session), public_id))


@blueprint.get("/wallet/google")
def google() -> BaseResponse:
    """Lead to Google's page that saves the card, the first one unless `program` names another."""
    member, program = me(web.session()), request.args.get("program") or None
    web.end_unit(keep=True)  # Google is asked now, and nothing of ours waits for it
    link = google_link.save_link(web.runtime(), brand_id=g.brand_id, member_id=member.id, program_slug=program)
    # The demo's browser is led where the demo's Google stands; everywhere else nothing is mapped.
    return redirect(link.replace(GOOGLE, web.runtime().settings.outbound_map.get(GOOGLE, GOOGLE), 1), 303)


@blueprint.post("/wallet/simulated")
def simulated() -> BaseResponse:
    """Put the card on the demo's simulated iPhone; only the demo has one."""
    take = web.runtime().shared.get(SIMULATED)
    if take is None:
        raise NotFound(_("There is no simulated phone here."))
    with web.database().reading(g.brand_id) as session:
        made = wallet.apple_pass(session, web.runtime(), me(session))
    take(made.body)
    return redirect("/dev/iphone", 303)


def badge(kind: str, language: str) -> dict[str, Any] | None:
    """Return the platform's own badge in a language, else in English; None where the operator has put none."""
    folder = web.runtime().settings.badges
    if folder is None:
        return None
    return next((found for code in (language, "en") if (found := _picture(folder, f"{kind}-{code}"))), None)


@cache
def _picture(folder: Path, name: str) -> dict[str, Any] | None:
    for suffix in PICTURES:
        if (folder / f"{name}{suffix}").is_file():
            return {"src": f"/assets/badges/{name}{suffix}"}
    return None


def badge_file(name: str) -> tuple[bytes, str]:
    """Return a badge's bytes and media type, unaltered.

    Raises:
        NotFound: the operator has put no such badge.
    """
    folder, stem = web.runtime().settings.badges, Path(name)
    known = {f"{kind}-{code}" for kind in ("apple", "google") for code in i18n.LANGUAGES}
    if folder is None or stem.suffix not in PICTURES or stem.stem not in known or not (folder / name).is_file():
        raise NotFound(_("There is no such picture."))
    return (folder / name).read_bytes(), PICTURES[stem.suffix]
