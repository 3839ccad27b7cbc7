"""The `leima` command. Exit codes: 0 done, 1 refused or found faulty, 2 wrong usage, 130 interrupted."""

import argparse
import getpass
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from app import registry
from app.core import log, migrations
from app.core import settings as core_settings
from app.core.db import Database
from app.core.doctor import NO_MESSAGES, diagnose
from app.core.errors import Conflict, Invalid, LeimaError
from app.core.runtime import Runtime
from app.core.settings import Settings, SettingsError
from app.core.setup import Change, apply_file
from app.core.toml import FaultList
from app.core.web.server import listen, stop_on_signals
from app.delivery import outgoing
from app.fakes import demo as demo_fakes
from app.fakes import history, welcome
from app.network import service as network
from app.network.staff import set_password, staff_of_brand
from app.network.tills import new_till_key, revoke_till_key
from app.worker import Worker
from app.wsgi import create_app

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


class SchemaOld(Conflict):
    """The command needs the newest schema."""

    code = "schema_old"


class PasswordsDiffer(Invalid):
    """The password was typed in two ways."""

    code = "passwords_differ"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    args = build_parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = args.command
    try:
        return command(args)
    except SettingsError as error:
        return _refuse("The settings cannot be used:", error.faults)
    except FaultList as error:
        lines = [f"{error.name}:{fault.line}: {fault.message}" for fault in error.faults]
        return _refuse("Nothing was changed, since the file has faults:", lines)
    except LeimaError as error:
        return _refuse(f"{error.message} ({error.code})", [])
    except KeyboardInterrupt:
        return 130


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; the README lists the same ones, checked by a test."""
    parser = argparse.ArgumentParser(prog="leima", description="A brand's own loyalty service.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(name: str, command: Callable[[argparse.Namespace], int], what: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=what, description=f"{what[:1].upper()}{what[1:]}.")
        sub.set_defaults(command=command)
        return sub

    run = add("run", _run, "web and worker in one process, after bringing the database up to date")
    run.add_argument("--demo", action="store_true", help="with a demo brand, its history, and fakes for all services")
    run.add_argument("--no-history", action="store_true", help="leave out the demo's 90 days of history")
    add("serve", _serve_only, "web only")
    add("work", _work, "worker only")
    add("migrate", _migrate, "bring the database to the newest schema")
    apply = add("apply", _apply, "set up a brand by a file; docs/brand-file.md says what it may hold")
    apply.add_argument("file", type=Path)
    apply.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
    demo = add("demo", _demo, "load the demo brand into this database")
    demo.add_argument("--history", action="store_true", help="also its 90 days of history")
    staff = add("staff", _staff, "set the password of a person who stands in the brand file")
    staff.add_argument("brand")
    staff.add_argument("email")
    till = add("till-key", _till_key, "give a till a new key, shown once; the old one ends")
    for name in ("brand", "outlet", "till"):
        till.add_argument(name)
    till.add_argument("--revoke", action="store_true", help="only end the key that it has")
    add("check-books", _check_books, "prove that ledger, cards and coupons agree")
    add("doctor", _doctor, "look at settings, database and jobs, and say what is wrong")
    return parser


def _refuse(headline: str, lines: list[str]) -> int:
    err.print(f"leima: {headline}", style="bold red", markup=False, soft_wrap=True)
    for line in lines:
        err.print(f"  {line}", markup=False, soft_wrap=True)
    return 1


@contextmanager
def _open(settings: Settings | None = None) -> Iterator[Runtime]:
    """Open the database that the settings name, and know every job."""
    settings = settings or core_settings.load()
    if settings.url.startswith("sqlite"):
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    registry.load()
    runtime = Runtime.open(settings)
    try:
        runtime.database.check()
        yield runtime
    finally:
        runtime.database.close()


def _run(args: argparse.Namespace) -> int:
    with ExitStack() as stack:
        stop_on_signals()
        demo = stack.enter_context(demo_fakes.demo(_address(demo=True))) if args.demo else None
        settings = demo.settings if demo else core_settings.load(**_address())
        _warn(settings)
        log.configure(settings.log_level)
        runtime = stack.enter_context(_open(settings))
        migrations.upgrade(runtime.database)
        logins = demo.attach(runtime) if demo else None
        extra = [demo.outbox(), demo.front(logins)] if demo and logins else []
        server = listen(create_app(runtime, extra=extra), settings)
        worker = Worker(runtime)
        worker.start()
        stack.callback(worker.stop)
        stack.callback(outgoing.close, runtime)
        if logins:
            welcome.show(out, base_url=settings.base_url, logins=logins)
            if not args.no_history:
                stack.callback(history.start(runtime.database, out).stop)
        else:
            out.print(f"Leima on {settings.base_url}", soft_wrap=True)
        server.run()
    return 0


def _serve_only(_args: argparse.Namespace) -> int:
    stop_on_signals()
    settings = core_settings.load(**_address())
    _warn(settings)
    log.configure(settings.log_level)
    with _open(settings) as runtime:
        _demand_schema(runtime.database)
        server = listen(create_app(runtime), settings)
        out.print(f"Leima on {settings.base_url}, web only", soft_wrap=True)
        server.run()
    return 0


def _work(_args: argparse.Namespace) -> int:
    stop_on_signals()
    settings = core_settings.load(**_address())
    log.configure(settings.log_level)
    with _open(settings) as runtime:
        _demand_schema(runtime.database)
        worker = Worker(runtime)
        worker.start()
        out.print("Leima's worker runs")
        try:
            signal.pause()
        finally:
            worker.stop()
    return 0


def _address(*, demo: bool = False) -> dict[str, Any]:
    """Return a base URL that follows the port, where the environment names none."""
    plain = core_settings.load(demo=demo)
    return {} if "base_url" in plain.model_fields_set else {"base_url": f"http://127.0.0.1:{plain.port}"}


def _warn(settings: Settings) -> None:
    if not settings.smtp_url and not settings.sms_url:
        err.print(f"leima: {NO_MESSAGES}.", style="yellow", markup=False, soft_wrap=True)


def _demand_schema(database: Database) -> None:
    if not migrations.is_current(database):
        raise SchemaOld("The database is not at the newest schema; run `leima migrate` first.")


def _migrate(_args: argparse.Namespace) -> int:
    with _open() as runtime:
        before = migrations.is_current(runtime.database)
        migrations.upgrade(runtime.database)
    out.print("The schema is the newest." if before else "The schema was brought to the newest.")
    return 0


def _apply(args: argparse.Namespace) -> int:
    with _open() as runtime:
        _demand_schema(runtime.database)
        changes = apply_file(runtime.database, args.file, registry.SETUP, dry_run=args.dry_run)
    _print_changes(changes, dry_run=args.dry_run)
    return 0


def _print_changes(changes: list[Change], *, dry_run: bool) -> None:
    for change in changes:
        style = "green" if change.sign == "+" else "yellow"
        out.print(f"{change.sign} {change.what} {change.detail}".rstrip(), style=style, markup=False, soft_wrap=True)
    done = "would change" if dry_run else "changed"
    out.print(f"{len(changes)} {done}." if changes else "Nothing to change.")


def _demo(args: argparse.Namespace) -> int:
    with _open() as runtime:
        _demand_schema(runtime.database)
        _print_changes(demo_fakes.load_brand(runtime.database), dry_run=False)
        if args.history:
            history.load(runtime.database, out)
    return 0


def _staff(args: argparse.Namespace) -> int:
    with _open() as runtime:
        brand_id = _brand_id(runtime.database, args.brand)
        with runtime.database.reading(brand_id) as session:
            staff_of_brand(session, args.email)
        password = _ask_password()
        with runtime.database.unit(brand_id) as session:
            set_password(session, staff_of_brand(session, args.email), password)
    out.print(f"The password of {args.email} is set; other log-ins of theirs have ended.", markup=False, soft_wrap=True)
    return 0


def _ask_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("New password: ")
    if getpass.getpass("Once more: ") != password:
        raise PasswordsDiffer("The two passwords differ; nothing was changed.")
    return password


def _till_key(args: argparse.Namespace) -> int:
    with _open() as runtime:
        brand_id = _brand_id(runtime.database, args.brand)
        with runtime.database.unit(brand_id) as session:
            till = network.till_by_slug(session, args.outlet, args.till)
            if args.revoke:
                revoke_till_key(session, till)
                key = ""
            else:
                key = new_till_key(session, till)
    out.print(key or "The till's key has ended.", markup=False, soft_wrap=True)
    return 0


def _brand_id(database: Database, slug: str) -> int:
    with database.reading() as session:
        return network.brand_by_slug(session, slug).id


def _check_books(_args: argparse.Namespace) -> int:
    faults = 0
    with _open() as runtime:
        with runtime.database.reading() as session:
            brands = [(brand.id, brand.slug) for brand in network.brands(session)]
        for brand_id, slug in brands:
            for name, check in registry.invariants():
                with runtime.database.reading(brand_id) as session:
                    found = check(session)
                faults += len(found)
                told = f"{len(found)} faults" if found else "holds"
                out.print(f"{slug}: {name}: {told}", markup=False, soft_wrap=True)
                for line in found[:20]:
                    out.print(f"  {line}", markup=False, style="red", soft_wrap=True)
    return 1 if faults else 0


def _doctor(_args: argparse.Namespace) -> int:
    with _open() as runtime:
        found = diagnose(runtime.settings, runtime.database)
    for finding in found:
        mark, style = ("ok   ", "green") if finding.fine else ("WRONG", "bold red")
        out.print(f"{mark} {finding.what}: {finding.detail}", style=style, markup=False, soft_wrap=True)
    return 0 if all(finding.fine for finding in found) else 1
