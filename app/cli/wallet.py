"""`leima wallet import` and `leima wallet doctor`: certificates of a brand, and whether its passes work."""

import argparse
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from app.cli.common import ask_secret, brand_id_of, demand_schema, opened, out
from app.core.errors import Invalid
from app.core.runtime import Runtime
from app.network import service as network
from app.wallet import checkup, credentials, outgoing
from app.wallet.checkup import Finding
from app.wallet.models import WalletCredential

_MARKS = {"fine": ("ok", "green"), "warn": ("warn", "yellow"), "fault": ("WRONG", "bold red")}


class FileUnreadable(Invalid):
    """A file on the command line cannot be read, or is no certificate by its size."""

    code = "file_unreadable"


def add_to(commands: Any) -> None:
    """Add `wallet` with its two commands to the parser's commands."""
    what = "certificates of a brand's wallet passes, and whether the passes work"
    below = commands.add_parser("wallet", help=what, description=f"{what[:1].upper()}{what[1:]}.")
    inner = below.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_import(inner)
    what = "look at certificates, templates, addresses and channels of one brand or all, and say what is wrong"
    doctor = inner.add_parser("doctor", help=what, description=f"{what[:1].upper()}{what[1:]}.")
    doctor.add_argument("brand", nargs="?", help="its slug; all brands without it")
    doctor.set_defaults(command=run_doctor)


def _add_import(inner: Any) -> None:
    what = "keep a brand's own certificate or service account, sealed; it counts at once, without a restart"
    parser = inner.add_parser(
        "import",
        help=what,
        description=f"{what[:1].upper()}{what[1:]}. A passphrase is asked on the terminal, or read from the first line "
        "of the input; it is never an argument.",
    )
    parser.add_argument("brand", help="its slug")
    ways = parser.add_mutually_exclusive_group(required=True)
    ways.add_argument("--p12", type=Path, metavar="FILE", help="certificate and key as Apple's keychain exports them")
    ways.add_argument("--certificate", type=Path, metavar="FILE", help="the pass certificate, PEM or DER; needs --key")
    ways.add_argument("--google", type=Path, metavar="FILE", help="JSON of the service account; needs --issuer")
    parser.add_argument("--key", type=Path, metavar="FILE", help="PEM of the certificate's private key")
    parser.add_argument("--wwdr", type=Path, metavar="FILE", help="Apple's intermediate certificate, PEM or DER")
    parser.add_argument("--issuer", metavar="ID", help="issuer id of the Google Wallet account")
    parser.add_argument("--force", action="store_true", help="even when phones hold passes of another pass type")
    parser.set_defaults(command=run_import, usage_error=parser.error)


def run_import(args: argparse.Namespace) -> int:
    """Import what the arguments name, and say what it is."""
    _demand_pairs(args)
    with opened() as runtime:
        demand_schema(runtime.database)
        brand_id = brand_id_of(runtime.database, args.brand)
        given = _google(args) if args.google else _apple(args)  # asked before the unit: nobody waits for typing
        with runtime.database.unit(brand_id) as session:
            keep = credentials.import_google if args.google else credentials.import_apple
            row = keep(session, **given)
            told = _told(row)
    out.print(told, markup=False, soft_wrap=True)
    return 0


def _demand_pairs(args: argparse.Namespace) -> None:
    """End with the usage where arguments do not go together."""
    pairs = (("google", "issuer"), ("certificate", "key"))
    for way, needed in pairs:
        if (getattr(args, way) is None) is not (getattr(args, needed) is None):
            args.usage_error(f"--{way} and --{needed} go together")
    if args.google and (args.wwdr or args.force):
        args.usage_error("--wwdr and --force are Apple's")


def _apple(args: argparse.Namespace) -> dict[str, Any]:
    given: dict[str, Any] = {"force": args.force, "wwdr": _read(args.wwdr)}
    if args.p12:
        given |= {"p12": _read(args.p12), "password": ask_secret("Passphrase of the PKCS#12 file: ").encode()}
        return given
    given |= {"certificate": _read(args.certificate), "key": _read(args.key)}
    if b"ENCRYPTED" in given["key"]:
        given["password"] = ask_secret("Passphrase of the key: ").encode()
    return given


def _google(args: argparse.Namespace) -> dict[str, Any]:
    return {"account_json": _read(args.google), "issuer_id": args.issuer}


def _read(path: Path | None) -> bytes:
    if path is None:
        return b""
    try:
        if path.stat().st_size > credentials.LONGEST:
            raise FileUnreadable(f"{path} is too large to be a certificate, key or account.")
        return path.read_bytes()
    except OSError as error:
        raise FileUnreadable(f"{path} cannot be read: {error.strerror}.") from error


def _told(row: WalletCredential) -> str:
    if row.kind == credentials.GOOGLE:
        return f"Kept: issuer {row.names['issuer']}, account {row.names['account']}."
    until = f"{row.expires_at:%Y-%m-%d}" if row.expires_at else "?"
    return f"Kept: pass type {row.names['pass_type']}, team {row.names['team']}, valid until {until}."


def run_doctor(args: argparse.Namespace) -> int:
    """Show every check of one brand or all; 1 when something is wrong."""
    faults = 0
    with opened() as runtime:
        demand_schema(runtime.database)
        with runtime.database.reading() as session:
            brands = [(one.id, one.slug) for one in network.brands(session) if args.brand in (None, one.slug)]
        if args.brand and not brands:
            brand_id_of(runtime.database, args.brand)  # refuses the unknown one
        for brand_id, slug in brands:
            findings = _examined(runtime, brand_id)
            faults += sum(one.level == "fault" for one in findings)
            _show(slug, findings)
    return 1 if faults else 0


def _examined(runtime: Runtime, brand_id: int) -> list[Finding]:
    try:
        with checkup.asking(runtime) as reach, runtime.database.reading(brand_id) as session:
            return checkup.check(session, runtime, reach=reach, token=checkup.token_of(runtime))
    finally:
        outgoing.close(runtime)


def _show(slug: str, findings: list[Finding]) -> None:
    """Print a table that folds to the terminal; where nobody looks, one line for each check, to be searched."""
    wrong, odd = (sum(one.level == level for one in findings) for level in ("fault", "warn"))
    total = f"{len(findings)} checks, {wrong} wrong, {odd} to look at"
    if not out.is_terminal:
        for one in findings:
            told = f"{slug}: {_MARKS[one.level][0]:<5} {checkup.title(one.name)}: {_detail(one)}"
            out.print(told, markup=False, soft_wrap=True)
        out.print(f"{slug}: {total}", markup=False, soft_wrap=True)
        return
    table = Table(title=f"Wallet passes of {slug}", title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("check", no_wrap=True)
    table.add_column("what was found", overflow="fold", ratio=1)
    for one in findings:
        mark, style = _MARKS[one.level]
        table.add_row(Text(mark, style=style), Text(checkup.title(one.name)), Text(_detail(one)))
    out.print(table, Text(total, style="bold red" if wrong else "green"), "")


def _detail(one: Finding) -> str:
    return f"{one.detail} ({one.code})" if one.code else one.detail
