"""How the passes look: a preview of each template, the brand's own pictures, or a whole template of its own."""

import base64
from typing import Any

from flask import Response, g, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from app.core import web
from app.core.errors import LeimaError, NotFound
from app.core.i18n import gettext as _
from app.doors.brand.door import blueprint, page
from app.doors.brand.wallet import MAY_CHANGE, demand_role
from app.wallet import brand_templates, preview, uploads
from app.wallet.brand_templates import TemplateRefused
from app.wallet.tools import Tools

MOST = 2_200_000  # bytes of an upload: the largest template and its form
PICTURES = ("logo", "icon", "strip")


@blueprint.get("/wallet/looks")
def looks() -> Response:
    """Show every template as it is now."""
    return show()


def show(name: str = "", error: str = "", faults: list[str] | None = None, status: int = 200) -> Response:
    """Show the page; `error` and `faults` say why an upload to the template `name` was refused."""
    session = web.session()
    own, tools = brand_templates.digests(session), Tools.of(web.runtime())
    templates = [
        {
            "name": each, "title": _titles()[each], "own": each in own,
            "images": _images(preview.images(session, tools.template(session, each), g.brand)),
            "error": error if each == name else "", "faults": (faults or [])[:20] if each == name else [],
        }
        for each in brand_templates.names()
    ]  # fmt: skip
    notice = {
        "saved": _("Saved. The cards on the phones change within moments."),
        "removed": _("Back to Leima's own. The cards on the phones change within moments."),
    }.get(request.args.get("done", ""), "")
    return page(
        "looks", status, here="wallet", templates=templates, may_change=g.staff.role in MAY_CHANGE, notice=notice,
        pictures={"logo": _("Logo"), "icon": _("Icon"), "strip": _("Strip")},
    )  # fmt: skip


def _titles() -> dict[str, str]:
    return {
        "stamp-card": _("Stamp card"), "bonus-card": _("Bonus card"), "coupon": _("Coupon"),
        "gift-card": _("Gift card"),
    }  # fmt: skip


def _images(found: dict[str, bytes]) -> dict[str, Any]:
    return {name: f"data:image/png;base64,{base64.b64encode(data).decode()}" for name, data in found.items()}


@blueprint.post("/wallet/looks/<name>")
@web.takes(MOST)
def upload(name: str) -> Response | BaseResponse:
    """Take a picture, or a zipped template folder."""
    demand_role()
    picture, folder = request.files.get("picture"), request.files.get("folder")
    which = request.form.get("which", "")
    try:
        if folder is not None and folder.filename:
            brand_templates.save(web.session(), name, uploads.read_zip(folder.read()), shown_as=f"{name}.pass")
        elif picture is not None and picture.filename and which in PICTURES:
            brand_templates.set_pictures(web.session(), name, {which: picture.read()})
        else:
            return _again(name, _("Choose a file first."), 422)
    except TemplateRefused as error:
        return _again(name, error.message, error.status, error.faults)
    except NotFound:
        raise
    except LeimaError as error:
        return _again(name, error.message, error.status)
    return redirect("/brand/wallet/looks?done=saved", 303)


@blueprint.post("/wallet/looks/<name>/remove")
def back(name: str) -> BaseResponse:
    """Go back to Leima's own template."""
    demand_role()
    brand_templates.remove(web.session(), name)
    return redirect("/brand/wallet/looks?done=removed", 303)


def _again(name: str, error: str, status: int, faults: list[str] | None = None) -> Response:
    web.end_unit(keep=False)  # the page only reads: nobody waits for it to be drawn
    return show(name, error, faults, status)
