"""The application class: one unit of work around each view, committed only when the answer is a success."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

from apiflask import APIFlask
from flask import Response, current_app, g, request
from flask.json.provider import DefaultJSONProvider
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from app.core import clock
from app.core.db import Database
from app.core.runtime import Runtime

READS = frozenset({"GET", "HEAD", "OPTIONS"})
T = TypeVar("T")
MAX_BODY = 64 * 1024  # bytes; a basket of 500 lines is 40 kB


class Json(DefaultJSONProvider):
    """Flask's JSON; a body nested so deep that Python gives up is a broken body, no crash of ours."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Read JSON.

        Raises:
            ValueError: it is none.
        """
        try:
            return super().loads(s, **kwargs)
        except RecursionError:
            raise ValueError("nested too deep") from None


class LeimaFlask(APIFlask):
    """Flask with a unit of work: a view's session is opened on first use and closed before the answer leaves.

    GET and HEAD read only. Any answer of 400 and above, and any exception, leaves nothing written.
    """

    json_provider_class = Json

    def handle_http_exception(self, e: HTTPException) -> HTTPException | ResponseReturnValue:
        """Lead a missing slash on within this host, whatever the Host header says; else as Flask does."""
        if isinstance(e, RequestRedirect):
            parts = urlsplit(e.new_url)
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            return Response(status=e.code, headers={"Location": path})
        return super().handle_http_exception(e)

    def dispatch_request(self) -> ResponseReturnValue:
        """Run the view and end its unit; a commit that fails is an error of the request."""
        try:
            response: Response = self.make_response(super().dispatch_request())
        except BaseException as error:
            end_unit(keep=False, error=error)  # the unit tells a database that is down from a bug
            raise
        end_unit(keep=response.status_code < 400)
        return response


def runtime() -> Runtime:
    """Return what this process holds."""
    found: Runtime = current_app.extensions["leima"]
    return found


def database() -> Database:
    """Return the database of this process."""
    return runtime().database


def session() -> Session:
    """Return the request's session, scoped to the brand that the door put into `g.brand_id`."""
    if "unit" not in g:
        brand_id = g.get("brand_id")
        reads = request.method in READS or g.get("refused", False)
        opened = database().reading(brand_id) if reads else database().unit(brand_id)
        g.session = opened.__enter__()
        g.unit = opened
    found: Session = g.session
    return found


def end_unit(*, keep: bool, error: BaseException | None = None) -> None:
    """Commit the request's unit, or leave nothing of it: the page that says why only reads.

    Raises:
        DatabaseDown: the commit failed, or `error` is the database's.
    """
    opened: Any = g.pop("unit", None)
    g.pop("session", None)
    g.refused = not keep
    if opened is None:
        return
    if keep:
        opened.__exit__(None, None, None)
        return
    refused = error or Refused()
    try:
        opened.__exit__(type(refused), refused, refused.__traceback__)
    except Refused:
        return


def in_own_unit(do: Callable[[], T]) -> T:
    """Run a part of a request in a unit of its own, whatever became of the parts before it.

    Raises:
        Exception: what `do` raises; then nothing of this part is left.
    """
    end_unit(keep=True)
    g.refused = False
    try:
        found = do()
    except BaseException as error:
        end_unit(keep=False, error=error)
        raise
    end_unit(keep=True)
    return found


class Refused(Exception):
    """Ends a unit whose answer was a refusal."""


def limit(key: str, *, most: int, window: timedelta) -> None:
    """Count one try before the unit opens, so that a refusal cannot take it back.

    Raises:
        TooMany: with the seconds to wait.
    """
    database().count(key, limit=most, window=window, now=clock.now())
