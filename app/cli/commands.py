"""The parser of all commands, and how their refusals are told."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from app.cli import brands, checks, serving, wallet
from app.cli.common import refuse
from app.core.errors import LeimaError
from app.core.settings import SettingsError
from app.core.toml import FaultList

Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    args = build_parser().parse_args(arguments)
    command: Command = args.command
    try:
        return command(args)
    except SettingsError as error:
        return refuse("The settings cannot be used:", error.faults)
    except FaultList as error:
        lines = [f"{error.name}:{fault.line}: {fault.message}" for fault in error.faults]
        return refuse("Nothing was changed, since the file has faults:", lines)
    except LeimaError as error:
        return refuse(f"{error.message} ({error.code})", [])
    except KeyboardInterrupt:
        return 130


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; the README lists the same ones, checked by a test."""
    parser = argparse.ArgumentParser(prog="leima", description="A brand's own loyalty service.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(name: str, command: Command, what: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=what, description=f"{what[:1].upper()}{what[1:]}.")
        sub.set_defaults(command=command)
        return sub

    run = add("run", serving.run, "web and worker in one process, after bringing the database up to date")
    run.add_argument("--demo", action="store_true", help="with a demo brand, its history, and fakes for all services")
    run.add_argument("--no-history", action="store_true", help="leave out the demo's 90 days of history")
    add("serve", serving.serve_only, "web only")
    add("work", serving.work, "worker only")
    add("migrate", serving.migrate, "bring the database to the newest schema")
    apply = add("apply", brands.apply, "set up a brand by a file; docs/brand-file.md says what it may hold")
    apply.add_argument("file", type=Path)
    apply.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
    demo = add("demo", brands.demo, "load the demo brand into this database")
    demo.add_argument("--history", action="store_true", help="also its 90 days of history")
    staff = add("staff", brands.staff, "set the password of a person who stands in the brand file")
    staff.add_argument("brand")
    staff.add_argument("email")
    staff.add_argument("--pin", action="store_true", help="set the PIN by which a manager approves at tills instead")
    till = add("till-key", brands.till_key, "give a till a new key, shown once; the old one ends")
    for name in ("brand", "outlet", "till"):
        till.add_argument(name)
    till.add_argument("--revoke", action="store_true", help="only end the key that it has")
    wallet.add_to(commands)
    add("check-books", checks.check_books, "prove that ledger, cards and coupons agree")
    add("doctor", checks.doctor, "look at settings, database and jobs, and say what is wrong")
    return parser
