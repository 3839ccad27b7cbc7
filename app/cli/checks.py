"""The commands that look and change nothing."""

import argparse

from app import registry
from app.cli.common import opened, out
from app.core.doctor import diagnose
from app.network import service as network


def check_books(_args: argparse.Namespace) -> int:
    """Check the invariants of every brand; 1 when one does not hold."""
    faults = 0
    with opened() as runtime:
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


def doctor(_args: argparse.Namespace) -> int:
    """Show what was looked at; 1 when something is wrong."""
    with opened() as runtime:
        found = diagnose(runtime.settings, runtime.database)
    for finding in found:
        mark, style = ("ok   ", "green") if finding.fine else ("WRONG", "bold red")
        out.print(f"{mark} {finding.what}: {finding.detail}", style=style, markup=False, soft_wrap=True)
    return 0 if all(finding.fine for finding in found) else 1
