"""The commands that set up brands: by a file, the demo's, passwords of people and keys of tills."""

import argparse

from app import registry
from app.cli.common import ask_password, brand_id_of, demand_schema, err, opened, out
from app.core.setup import Change, apply_file
from app.fakes import demo as demo_fakes
from app.fakes import history_player
from app.network import service as network
from app.network.pins import set_pin
from app.network.staff import set_password, staff_of_brand
from app.network.tills import new_till_key, revoke_till_key


def apply(args: argparse.Namespace) -> int:
    """Set a brand up by a file."""
    with opened() as runtime:
        demand_schema(runtime.database)
        changes = apply_file(runtime.database, args.file, registry.SETUP, dry_run=args.dry_run)
    _print_changes(changes, dry_run=args.dry_run)
    return 0


def _print_changes(changes: list[Change], *, dry_run: bool) -> None:
    for change in changes:
        style = "green" if change.sign == "+" else "yellow"
        lasting = change.public_id and not dry_run  # the ids of a dry run are given to nobody
        told = f"(id {change.public_id})" if lasting else change.detail
        out.print(f"{change.sign} {change.what} {told}".rstrip(), style=style, markup=False, soft_wrap=True)
    done = "would change" if dry_run else "changed"
    out.print(f"{len(changes)} {done}." if changes else "Nothing to change.")


def demo(args: argparse.Namespace) -> int:
    """Load the demo brand."""
    with opened() as runtime:
        demand_schema(runtime.database)
        _print_changes(demo_fakes.load_brand(runtime.database), dry_run=False)
        if args.history:
            history_player.load(runtime.database, out)
    return 0


def staff(args: argparse.Namespace) -> int:
    """Set the password of a person of the brand file, or the PIN by which a manager approves at tills."""
    with opened() as runtime:
        brand_id = brand_id_of(runtime.database, args.brand)
        with runtime.database.reading(brand_id) as session:
            staff_of_brand(session, args.email)
        secret = ask_password("New PIN: " if args.pin else "New password: ")
        with runtime.database.unit(brand_id) as session:
            person = staff_of_brand(session, args.email)
            if args.pin:
                set_pin(session, person, secret)
            else:
                set_password(session, person, secret)
            public_id = person.public_id
    done = f"The PIN of {args.email} is set."
    if not args.pin:
        done = f"The password of {args.email} is set; other log-ins of theirs have ended."
    out.print(f"{done} Tills name them by the id {public_id}.", markup=False, soft_wrap=True)
    return 0


def till_key(args: argparse.Namespace) -> int:
    """Give a till a new key, or end the one it has; its id is told beside the output, which is the key alone."""
    with opened() as runtime:
        brand_id = brand_id_of(runtime.database, args.brand)
        with runtime.database.unit(brand_id) as session:
            till = network.till_by_slug(session, args.outlet, args.till)
            key = "" if args.revoke else new_till_key(session, till)
            if args.revoke:
                revoke_till_key(session, till)
            public_id = till.public_id
    err.print(f"The till {args.outlet}/{args.till} has the id {public_id}.", markup=False, soft_wrap=True)
    out.print(key or "The till's key has ended.", markup=False, soft_wrap=True)
    return 0
