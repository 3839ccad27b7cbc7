"""What the terminal says when the demo runs: the addresses of all doors and how to log in at each."""

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from app.fakes.demo import SLUG, Logins

_NAMELESS = "changed since: leima "


def show(console: Console, *, base_url: str, logins: Logins) -> None:
    """Print the doors, the till keys and the people."""
    note = Text("Everything here is made up, and every secret is this machine's own. Stop with Ctrl+C.", style="dim")
    body = Group(_doors(base_url, logins), Text(), _tills(logins), Text(), _staff(logins), Text(), note)
    if console.is_terminal:
        console.print(Panel(body, title="Leima, the demo of Meri Roastery", border_style="blue"))
    else:
        console.print(body, soft_wrap=True)


def _doors(base_url: str, logins: Logins) -> RenderableType:
    key = next((till.key for till in logins.tills if till.key), "KEY")
    table = Table("Door", "Address", "How to get in", box=None, pad_edge=False, header_style="bold")
    table.add_row("Member", f"{base_url}/{SLUG}/join?source=poster", "join with any email; the code lands in the outbox")
    table.add_row("Till", f"{base_url}/till", "a till key, below")
    table.add_row("Till API", f"{base_url}/api/v1/openapi.json", "the same key as a bearer token")
    table.add_row("Brand", f"{base_url}/brand", "an email and password, below")
    table.add_row("Outbox", f"{base_url}/dev/outbox", "mail, SMS and pushes of the demo")
    curl = Text.assemble(
        ("Try the till API:\n", "bold"),
        f"curl -X POST {base_url}/api/v1/scans -H 'Authorization: Bearer {key}' \\\n"
        "  -H 'Idempotency-Key: first-scan' -H 'Content-Type: application/json' -d '{\"text\": \"CODE OF A CARD\"}'",
    )
    return Group(table, Text(), curl)


def _tills(logins: Logins) -> Table:
    table = Table("Outlet", "Till", "Key", box=None, pad_edge=False, header_style="bold")
    for till in logins.tills:
        table.add_row(till.outlet, till.till, till.key or f"{_NAMELESS}till-key {SLUG} {till.outlet} {till.till}")
    return table


def _staff(logins: Logins) -> Table:
    table = Table("Person", "Role", "Email", "Password", box=None, pad_edge=False, header_style="bold")
    for person in logins.staff:
        shown = person.password or f"{_NAMELESS}staff {SLUG} {person.email}"
        table.add_row(person.name, person.role.replace("_", " "), person.email, shown)
    return table
