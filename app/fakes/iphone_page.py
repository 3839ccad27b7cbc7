"""`/dev/iphone`: what the demo's simulated iPhone holds, as it changes by itself. Demo only."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

from flask import Blueprint, abort, jsonify, redirect, render_template, url_for
from werkzeug.wrappers import Response

from app.core.i18n import gettext, language
from app.core.web import csp_nonce
from app.fakes.iphone import SimulatedIPhone
from app.fakes.pkpass import Pkpass
from app.wallet.strings import parse_strings

FRONT = ("headerFields", "primaryFields", "secondaryFields", "auxiliaryFields")
STYLES = ("storeCard", "coupon")


def iphone_blueprint(phone: SimulatedIPhone, *, stylesheet: str) -> Blueprint:
    """Return the pages of one phone.

    Args:
        stylesheet: address of the design tokens.
    """
    pages = Blueprint("iphone", __name__, template_folder="templates", static_folder="static", url_prefix="/dev/iphone")

    @pages.get("")
    def show() -> str:
        """Show the passes, their backs and the lock screen."""
        passes = [face(held, language()) for held in phone.held().values()]
        return render_template(
            "iphone.html", passes=passes, online=phone.online, pending=phone.pending,
            announced=list(reversed(phone.announced))[:5], language=language(), stylesheet=stylesheet,
            own_stylesheet=url_for("iphone.static", filename="iphone.css"), version=version(phone), nonce=csp_nonce(),
            own_script=url_for("iphone.static", filename="iphone.js"), _=gettext,
        )  # fmt: skip

    @pages.get("/state.json")
    def state() -> Response:
        """Tell a page that is open whether the phone changed."""
        return jsonify(version=version(phone))

    def acts(name: str, act: Callable[[], object]) -> None:
        def view() -> Response:
            act()
            return redirect("/dev/iphone", 303)

        pages.add_url_rule(f"/{name}", name, view, methods=["POST"])

    acts("offline", lambda: setattr(phone, "online", False))
    acts("online", phone.go_online)
    acts("refresh", phone.wake)

    @pages.post("/passes/<serial>/remove")
    def remove(serial: str) -> Response:
        """Take a pass out of the wallet."""
        if serial not in phone.held():
            abort(404)
        phone.remove(serial)
        return redirect("/dev/iphone", 303)

    return pages


def version(phone: SimulatedIPhone) -> str:
    """Return what changes with everything that the page shows."""
    shown = [(serial, one.files["manifest.json"]) for serial, one in phone.held().items()]
    return hashlib.sha256(repr((shown, phone.online, phone.pending, phone.announced)).encode()).hexdigest()[:16]


def face(held: Pkpass, spoken: str) -> dict[str, Any]:
    """Return a pass as the page draws it: words in the phone's language, colors as data for the sheet."""
    strings = held.files.get(f"{spoken}.lproj/pass.strings") or held.files.get("en.lproj/pass.strings") or b""
    words = parse_strings(strings.decode("utf-16" if strings[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"))
    style = next((name for name in STYLES if name in held.face), "storeCard")

    def fields(*names: str) -> list[dict[str, str]]:
        found = [one for name in names for one in held.face[style].get(name, [])]
        return [
            {"label": words.get(one.get("label", ""), one.get("label", "")), "value": str(one["value"])}
            for one in found
        ]

    strip = held.files.get("strip@2x.png")
    return {
        "serial": held.serial, "name": held.face.get("logoText") or held.organization, "voided": held.voided,
        "header": fields("headerFields"), "front": fields(*FRONT[1:]), "back": fields("backFields"),
        "strip": f"data:image/png;base64,{base64.b64encode(strip).decode()}" if strip else "",
        "colors": {name: str(held.face.get(f"{name}Color", "")) for name in ("background", "foreground", "label")},
        "code": next((code.get("altText", "") for code in held.face.get("barcodes", [])), ""),
    }  # fmt: skip
