"""Serves the till API in processes that are there to be killed: one fork for each line on standard input.

The first argument is what to serve: `whole`, or one of the broken twins. Imports are done once, before the forks, so
that a new life begins at once; database, threads and socket are each life's own.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, current_app, request
from sqlalchemy import select

from app.core import clock, log, settings, web
from app.core.db import keyring
from app.core.runtime import Runtime
from app.core.web.server import listen
from app.doors import idempotency
from app.network.models import Answer
from app.worker import Worker
from app.wsgi import create_app

SLOWEST_ANSWER = 0.03  # seconds on its way home, after the commit


def _off(_key: str, _fingerprint: str, do: Callable[[], Any]) -> Response:
    """The twin that keeps no answers."""
    return current_app.make_response(do())


def _apart(key: str, fingerprint: str, do: Callable[[], Any]) -> Response:
    """The twin that keeps the answer in a transaction of its own, after the purchase's."""
    if web.session().scalar(select(Answer.id).where(Answer.key == key)) is not None:
        return idempotency._replay(web.session(), key, fingerprint, request.path)
    response = current_app.make_response(do())
    web.end_unit(keep=response.status_code < 400)
    session = web.session()
    row = session.get_one(Answer, idempotency._take(session, key, fingerprint, request.path))
    row.status, row.body, row.at = response.status_code, keyring(session).encrypt(response.get_data()), clock.now()
    return response


TWINS = {"whole": None, "off": _off, "apart": _apart}


def _make_answers_slow(app: Flask) -> None:
    @app.after_request
    def linger(response: Response) -> Response:
        time.sleep(random.uniform(0, SLOWEST_ANSWER))
        return response


def live() -> None:
    """Open everything and serve until killed; say where on standard output."""
    loaded = settings.load()
    log.configure(loaded.log_level)
    runtime = Runtime.open(loaded)
    app = create_app(runtime)
    _make_answers_slow(app)
    server = listen(app, loaded)
    Worker(runtime).start()
    print(json.dumps({"pid": os.getpid(), "port": server.effective_port}), flush=True)
    server.run()


def main() -> None:
    """Begin a new life for each line; at the end of input end the last one."""
    twin = TWINS[sys.argv[1]]
    if twin is not None:
        idempotency._once = twin
    child = 0
    for _line in sys.stdin:
        if child:
            os.waitpid(child, 0)
        child = os.fork()
        if child == 0:
            os.close(0)
            live()
            os._exit(0)
    if child:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
