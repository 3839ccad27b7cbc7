"""What the terminal says when the demo runs: the addresses of all doors and how to log in at each."""

from rich.console import Console
from rich.table import Table

from app.fakes.demo import SLUG, Logins
from app.network.models import RESELLER_ROLES

PAPER = 160  # columns where the output is no terminal: nothing may be cut from a key
_CHANGED = "changed by leima"


def show(console: Console, *, base_url: str, logins: Logins) -> None:
    """Print the doors, the till keys and the people."""
    paper = console if console.is_terminal else Console(file=console.file, width=PAPER, highlight=False)
    paper.rule("[bold]Leima, the demo of Meri Roastery", align="left")
    for table in (_doors(base_url), _tills(logins), _staff(logins)):
        paper.print(table)
        paper.print()
    key = next((till.key for till in logins.tills if till.key), "KEY")
    paper.print("Try the till API (the code is under the QR of a card):", style="bold")
    paper.print(_curl(base_url, key), markup=False, soft_wrap=True)
    paper.print("\nAll of it is made up; the secrets are this machine's own. Stop with Ctrl+C.", style="dim")


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _doors(base_url: str) -> Table:
    table = _table("Door", "Address", "How to get in")
    table.add_row("Member", f"{base_url}/{SLUG}/join", "any email; see the outbox")
    table.add_row("Till", f"{base_url}/till", "a till key")
    table.add_row("Till API", f"{base_url}/api/v1/openapi.json", "the same till key")
    table.add_row("Brand", f"{base_url}/brand", "email and password")
    table.add_row("Outbox", f"{base_url}/dev/outbox", "mail, SMS, pushes")
    return table


def _tills(logins: Logins) -> Table:
    table = _table("Outlet", "Till", "Key")
    for till in logins.tills:
        table.add_row(till.outlet, till.till, till.key or f"{_CHANGED} till-key")
    return table


def _staff(logins: Logins) -> Table:
    table = _table("Role", "Email", "Password", "Approves at tills: id, PIN")
    for person in (one for one in logins.staff if one.role not in RESELLER_ROLES):  # no door is theirs yet
        table.add_row(
            person.role.replace("_", " "), person.email, person.password or f"{_CHANGED} staff", person.approves
        )
    return table


def _curl(base_url: str, key: str) -> str:
    return (
        f"curl {base_url}/api/v1/scans -H 'Authorization: Bearer {key}' \\\n"
        "  -H 'Idempotency-Key: try-1' -H 'Content-Type: application/json' -d '{\"text\": \"CODE\"}'"
    )
