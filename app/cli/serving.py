"""The commands that run: web, worker, both of them, and the migration before."""

import argparse
import signal
import sys
from contextlib import ExitStack
from typing import Any

from app.cli.common import demand_schema, err, opened, out
from app.core import log, migrations
from app.core import settings as core_settings
from app.core.doctor import NO_MESSAGES
from app.core.runtime import Runtime
from app.core.settings import Settings
from app.core.web.server import listen, stop_on_signals
from app.delivery import outgoing
from app.fakes import demo as demo_fakes
from app.fakes import history_player, welcome
from app.wallet import outgoing as wallet_outgoing
from app.worker import Worker
from app.wsgi import create_app

YIELDS = 0.001  # seconds after which a thread that computes lets a till's request go on; Python's own is 0.005


def run(args: argparse.Namespace) -> int:
    """Run web and worker together until a signal ends them."""
    with ExitStack() as stack:
        stop_on_signals()
        demo = stack.enter_context(demo_fakes.demo(_address(demo=True))) if args.demo else None
        settings = demo.settings if demo else core_settings.load(**_address())
        _warn(settings)
        log.configure(settings.log_level)
        runtime = stack.enter_context(opened(settings))
        migrations.upgrade(runtime.database)
        logins = demo.attach(runtime) if demo else None
        extra = [demo.outbox(), demo.wallets(), demo.front(logins)] if demo and logins else []
        server = listen(create_app(runtime, extra=extra), settings)
        for worker in _workers(runtime):
            stack.callback(worker.stop)
        stack.callback(outgoing.close, runtime)
        stack.callback(wallet_outgoing.close, runtime)
        if logins:
            welcome.show(out, base_url=settings.base_url, logins=logins)
            if not args.no_history:
                stack.callback(history_player.start(runtime.database, out).stop)
        else:
            out.print(f"Leima on {settings.base_url}", soft_wrap=True)
        server.run()
    return 0


def serve_only(_args: argparse.Namespace) -> int:
    """Run the web alone."""
    stop_on_signals()
    settings = core_settings.load(**_address())
    _warn(settings)
    log.configure(settings.log_level)
    with opened(settings) as runtime:
        demand_schema(runtime.database)
        server = listen(create_app(runtime), settings)
        out.print(f"Leima on {settings.base_url}, web only", soft_wrap=True)
        server.run()
    return 0


def work(_args: argparse.Namespace) -> int:
    """Run the worker alone."""
    stop_on_signals()
    settings = core_settings.load(**_address())
    log.configure(settings.log_level)
    with opened(settings) as runtime:
        demand_schema(runtime.database)
        workers = _workers(runtime)
        out.print("Leima's worker runs")
        try:
            signal.pause()
        finally:
            for worker in workers:
                worker.stop()
    return 0


def _workers(runtime: Runtime) -> list[Worker]:
    """Start the workers of a process: what takes minutes has one of its own, so that no phone waits for it."""
    sys.setswitchinterval(YIELDS)
    workers = [Worker(runtime, long=long) for long in (False, True)]
    for worker in workers:
        worker.start()
    return workers


def _address(*, demo: bool = False) -> dict[str, Any]:
    """Return a base URL that follows the port, where the environment names none."""
    plain = core_settings.load(demo=demo)
    return {} if "base_url" in plain.model_fields_set else {"base_url": f"http://127.0.0.1:{plain.port}"}


def _warn(settings: Settings) -> None:
    if not settings.smtp_url and not settings.sms_url:
        err.print(f"leima: {NO_MESSAGES}.", style="yellow", markup=False, soft_wrap=True)


def migrate(_args: argparse.Namespace) -> int:
    """Bring the database to the newest schema."""
    with opened() as runtime:
        before = migrations.is_current(runtime.database)
        migrations.upgrade(runtime.database)
    out.print("The schema is the newest." if before else "The schema was brought to the newest.")
    return 0
