"""Waitress: bound before anything else is said, and ended so that running requests finish."""

import resource
import signal
import socket
import sys
from typing import Any, NoReturn

from flask import Flask
from waitress.server import create_server

from app.core.errors import Unavailable
from app.core.i18n import gettext as _
from app.core.settings import Settings

BODY = 16 * 1024 * 1024  # bytes read at most; the application refuses far less, with a better answer
DESCRIPTORS = 8192  # files and sockets of the process
KEPT_FREE = 256  # of them for the database, pictures and calls out


class CannotListen(Unavailable):
    """The address is taken, or it is not this machine's."""

    code = "cannot_listen"


def listen(app: Flask, settings: Settings) -> Any:
    """Return waitress, bound already; its `run` serves until a signal.

    Raises:
        CannotListen: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        # Bound here: waitress leaves its socket open when it cannot bind.
        bound = socket.create_server((settings.host, settings.port), family=family, backlog=1024)
    except OSError as error:
        place = f"{settings.host}:{settings.port}"
        fault = error.strerror or error
        message = _("%(place)s: %(fault)s. LEIMA_PORT takes another port.", place=place, fault=fault)
        raise CannotListen(message) from None
    return create_server(
        app,
        sockets=[bound],
        threads=settings.threads,
        ident=None,
        max_request_body_size=BODY,
        clear_untrusted_proxy_headers=False,  # core.web believes the configured proxies only
        channel_timeout=60,
        connection_limit=_connections(),
        asyncore_use_poll=True,  # select() knows 1,024 descriptors only
    )


def _connections() -> int:
    """Allow as many connections as descriptors: each open card keeps one, and with waitress' 100 tills stay out."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(100, wanted - KEPT_FREE)


def stop_on_signals() -> None:
    """End on SIGTERM as on Ctrl+C: waitress finishes running requests when the handler exits, not otherwise."""

    def stop(_number: int, _frame: object) -> NoReturn:
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
