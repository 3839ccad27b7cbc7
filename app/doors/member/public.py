"""What a brand shows to everybody: its look, its app's files, its terms, and what a stray camera finds."""

import re
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache
from io import BytesIO
from typing import Any

from flask import Response, g, jsonify, redirect, request, send_from_directory
from PIL import Image, ImageDraw
from werkzeug.wrappers import Response as BaseResponse

from app.core import clock, i18n, web
from app.core.errors import LeimaError, NotFound
from app.core.i18n import gettext as _
from app.core.web.pages import PWA
from app.doors import identity
from app.doors.brand_css import brand_css
from app.doors.member import language
from app.doors.member.wallet import badge_file
from app.members import wordings
from app.network import service as network
from app.network.models import RESERVED_SLUGS
from app.wallet import brand_templates, images

blueprint = web.door("public", __name__)
OWN_LOGO = "logo@3x.png"  # of the brand's own passes
HOUR = int(timedelta(hours=1).total_seconds())
SPEECHLESS = ("public.css", "public.service_worker", "public.icon")


@blueprint.url_value_preprocessor
def _take_slug(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    g.slug = (values or {}).pop("slug", None)


@blueprint.before_request
def _everybody() -> None:
    """Know the brand; these pages are nobody's."""
    identity.enter("public", slug=g.slug)
    if g.slug is not None and request.endpoint not in SPEECHLESS:
        language.speak(language.subject())


@blueprint.before_app_request
def _nothing_there() -> None:
    """Know the brand and the visitor's language where the address names a brand and nothing below it."""
    slug = request.path.split("/")[1]
    if request.routing_exception is None or not slug or slug in RESERVED_SLUGS or web.wants_problem():
        return
    with suppress(LeimaError):
        identity.find_brand(slug)
        language.speak(language.subject())


@blueprint.get("/")
def front() -> Response | BaseResponse:
    """Lead to the brand where there is one alone; the demo leads to its doors."""
    if web.runtime().settings.demo:
        return redirect("/dev/", 303)
    with web.database().reading() as session:
        brands = network.brands(session)
    if len(brands) != 1:
        raise NotFound(_("Open the address of your brand's card."))
    return redirect(f"/{brands[0].slug}/", 303)


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """Return a mark for pages that belong to no brand."""
    return _cached(draw_icon("#183f8c", "#f5d337", 192, False), "image/png")


@blueprint.get("/assets/badges/<name>")
def wallet_badge(name: str) -> Response:
    """Return a platform's own wallet badge, as the operator has put it."""
    return _cached(*badge_file(name))


@blueprint.get("/m/<member_code>")
@blueprint.get("/M/<member_code>")
def at_till(member_code: str) -> Response:
    """Tell a camera that scanned a member's code by chance what it is for; the same for every code."""
    i18n.set_language(i18n.negotiate(request.headers.get("Accept-Language", ""), i18n.LANGUAGES, "fi"))
    return web.page("member/at_till.html")


@blueprint.get("/<slug>/brand.css")
def css() -> Response:
    """Return the brand's colors."""
    return _cached(brand_css(g.brand), "text/css")


@blueprint.get("/<slug>/sw.js")
def service_worker() -> Response:
    """Return the service worker; always asked for anew, so that a new one is found."""
    response = send_from_directory(PWA, "sw.js", mimetype="text/javascript", max_age=0)
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Security-Policy"] = "default-src 'none'; connect-src 'self'"
    return response


@blueprint.get("/<slug>/manifest.webmanifest")
def manifest() -> Response:
    """Return what makes the page an app of the brand."""
    home = f"/{g.brand.slug}/"
    icons = [
        {"src": f"{home}icon-192.png", "sizes": "192x192", "type": "image/png"},
        {"src": f"{home}icon-512.png", "sizes": "512x512", "type": "image/png"},
        {"src": f"{home}icon-maskable.png", "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
    ]
    response = jsonify(
        id=home, name=g.brand.name, short_name=g.brand.name[:12], start_url=home, scope=home, display="standalone",
        lang=i18n.language(), background_color=g.brand.brand_color, theme_color=g.brand.brand_color, icons=icons,
    )  # fmt: skip
    response.mimetype = "application/manifest+json"
    response.headers["Cache-Control"] = f"private, max-age={HOUR}"  # it speaks the visitor's language
    return response


@blueprint.get("/<slug>/icon-<name>.png")
def icon(name: str) -> Response:
    """Return the app's icon in the brand's colors; `logo` is the size that Google Wallet asks for."""
    sizes = {"192": (192, False), "512": (512, False), "maskable": (512, True), "logo": (660, True)}
    if name not in sizes:
        raise NotFound(_("There is no such picture."))
    size, full = sizes[name]
    own = brand_templates.own_files(web.session(), "stamp-card").get(OWN_LOGO) if name == "logo" else None
    if own is not None:
        return _cached(images.square(own, size, g.brand.brand_color), "image/png")
    return _cached(draw_icon(g.brand.brand_color, g.brand.ink, size, full), "image/png")


def _cached(body: str | bytes, kind: str) -> Response:
    response = Response(body, mimetype=kind)
    response.headers["Cache-Control"] = f"public, max-age={HOUR}"
    return response


@lru_cache(maxsize=64)
def draw_icon(paper: str, ink: str, size: int, full: bool) -> bytes:
    """Draw the stamp's two waves on the brand's paper; `full` fills the square, for masks."""
    scale = 4
    image = Image.new("RGBA", (size * scale, size * scale), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    edge = size * scale - 1
    draw.rounded_rectangle((0, 0, edge, edge), radius=0 if full else edge * 0.24, fill=paper)
    inset = 0.26 if full else 0.2
    for row in (0.4, 0.62):
        _wave(draw, edge, row, inset, ink)
    out = BytesIO()
    small = image.resize((size, size), Image.Resampling.LANCZOS)
    small.quantize(64, method=Image.Quantize.FASTOCTREE).save(out, "PNG", optimize=True)  # it counts on the first load
    return out.getvalue()


def _wave(draw: ImageDraw.ImageDraw, edge: int, row: float, inset: float, ink: str) -> None:
    width, radius = edge * (1 - 2 * inset), edge * 0.042
    for step in range(401):
        x = edge * inset + width * step / 400
        phase = (step / 400 * 3) % 1
        y = edge * row + edge * 0.055 * (
            1 - 8 * abs(phase - 0.5) ** 2 if int(step / 400 * 3) % 2 == 0 else 8 * abs(phase - 0.5) ** 2 - 1
        )
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)


@blueprint.get("/<slug>/offline")
def offline() -> Response:
    """Return the page that the service worker keeps for what it has not kept."""
    return web.page("member/offline.html")


@blueprint.get("/<slug>/terms")
def terms() -> Response:
    """Show the program's terms."""
    return _legal("terms", _("Terms of the program"))


@blueprint.get("/<slug>/privacy")
def privacy() -> Response:
    """Show the privacy notice."""
    return _legal("privacy", _("Privacy notice"))


def _legal(kind: str, title: str) -> Response:
    row = wordings.current(web.session(), kind, i18n.language())
    if row is None:
        raise NotFound(_("The brand has not published this text."))
    since = i18n.format_date(clock.local_date(row.at, g.brand.zone))
    document = {"title": title, "version": str(row.version), "since": since, "parts": parts(row.text)}
    return web.page("join/legal.html", document=document, languages=language.choices())


def parts(text: str) -> list[dict[str, str]]:
    """Return a text's paragraphs; a line that starts with `# ` is the heading of the next ones."""
    found, heading = [], ""
    for block in re.split(r"\n\s*\n|\n(?=# )", text.strip()):
        if block.startswith("# "):
            heading, _newline, block = block[2:].partition("\n")
        if block.strip() or heading:
            found.append({"heading": heading.strip(), "text": block.strip()})
            heading = ""
    return found
