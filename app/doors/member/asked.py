"""A till asks to use coupons or bonus; the member says so here, on the phone that has the card."""

from flask import Response, g, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from app.core import web
from app.core.errors import LeimaError
from app.doors.member import card
from app.doors.member.home import blueprint, me
from app.members import allowing


@blueprint.post("/questions/<public_id>")
def answer(public_id: str) -> Response | BaseResponse:
    """Allow it, or not now: the first answer counts, and a second press of the same button changes nothing."""
    session = web.session()
    try:
        allowing.answer(session, me(session), public_id, allow=request.form.get("answer") == "allow")
    except (allowing.ConfirmationAnswered, allowing.ConfirmationOver) as error:
        web.end_unit(keep=False)  # the page only reads: nobody waits for it to be drawn
        return _refused(error)
    return redirect(f"/{g.brand.slug}/", 303)


def _refused(error: LeimaError) -> Response:
    return card.show(status=error.status, question_error=error.message)
