"""The card for the phone's own wallet."""

from flask import Response, g, redirect
from werkzeug.wrappers import Response as BaseResponse

from app.core import web
from app.doors.member import shape
from app.doors.member.devices import platform
from app.doors.member.home import blueprint, me, shell
from app.wallet import service as wallet


@blueprint.get("/wallet")
def wallet_page() -> Response:
    """Offer the wallets that work here, the phone's own first."""
    session = web.session()
    offered, kind = wallet.available(web.runtime()), platform()
    here = f"{web.runtime().settings.base_url}/{g.brand.slug}/wallet"
    return web.page(
        "member/wallet.html",
        me=shell(session, me(session)),
        platform=kind,
        apple=f"/{g.brand.slug}/wallet/card.pkpass" if offered.apple else None,
        google=f"/{g.brand.slug}/wallet/google" if offered.google else None,
        demo=wallet.is_self_made(web.runtime()),
        qr=shape.qr(here) if kind == "other" else None,
    )


@blueprint.get("/wallet/card.pkpass")
def apple() -> Response:
    """Return the signed pass; the same serial each time."""
    session = web.session()
    made = wallet.apple_pass(session, web.runtime(), me(session))
    response = Response(made.body, mimetype=made.media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{made.filename}"'
    return response


@blueprint.get("/wallet/google")
def google() -> BaseResponse:
    """Lead to Google's page that saves the card."""
    session = web.session()
    return redirect(wallet.google_link(session, web.runtime(), me(session)), 303)
