"""The demo's first page: the four doors, with what opens each of them."""

from collections.abc import Sequence

from flask import Blueprint, render_template, url_for

from app.core.i18n import gettext, language


def front_blueprint(
    tills: Sequence[tuple[str, str, str]], staff: Sequence[tuple[str, str, str]], *, slug: str, stylesheet: str
) -> Blueprint:
    """Return the page at `/dev/`, where `/` leads in the demo.

    Args:
        tills: outlet, till and key; an empty key was changed since.
        staff: role, email and password; an empty password was changed since.
    """
    pages = Blueprint("front", __name__, template_folder="templates", url_prefix="/dev")

    @pages.get("/")
    def front() -> str:
        """Show where to go, and the keys."""
        style = url_for("outbox.static", filename="outbox.css")
        values = {"slug": slug, "language": language(), "stylesheet": stylesheet, "own_stylesheet": style, "_": gettext}
        return render_template("front.html", tills=tills, staff=staff, **values)

    return pages
