"""The house rules over the whole source; beside each rule a planted fault shows that its checker can fail."""

import importlib.util
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tests import house

Checker = Callable[[str], list[str]]


def faults(paths: list[Path], checker: Checker, *, but: frozenset[str] = frozenset()) -> dict[str, list[str]]:
    """Run a checker over files and return the faults of each; `but` names the files that may."""
    found = {house.name_of(path): checker(path.read_text(encoding="utf-8", errors="replace")) for path in paths}
    return {name: told for name, told in found.items() if told and name not in but}


def app_modules() -> list[Path]:
    """All modules of the app; an empty list would make every rule pass, so it fails here."""
    paths = house.files("*.py", under="app")
    assert paths
    return paths


def test_no_module_is_longer_than_300_lines() -> None:
    assert faults([*app_modules(), *house.files("*.py", under="tests")], house.long_module) == {}


def test_every_decision_is_headed_by_the_number_of_its_file() -> None:
    decisions = house.files("*.md", under="docs/decisions")
    assert [house.name_of(path) for path in decisions if house.misnumbered(path.name, path.read_text("utf-8"))] == []
    assert [path.name[:4] for path in decisions] == [f"{number + 1:04}" for number in range(len(decisions))]
    assert house.misnumbered("0015-limits.md", "# 16. Limits\n")
    assert house.misnumbered("0016-batch.md", "# 0016 A batch\n")
    assert not house.misnumbered("0016-batch.md", "# 16. A batch\n")


def test_no_function_is_longer_than_40_lines() -> None:
    assert faults(app_modules(), house.long_functions) == {}


def test_only_the_unit_of_work_commits() -> None:
    assert faults(app_modules(), house.commits, but=frozenset({"app/core/db.py"})) == {}


def test_only_the_settings_read_the_environment() -> None:
    assert faults(app_modules(), house.environment, but=frozenset({"app/core/settings.py"})) == {}


def test_only_the_clock_reads_the_time() -> None:
    assert faults(app_modules(), house.clocks, but=frozenset({"app/core/clock.py"})) == {}


def test_no_page_has_inline_scripts_styles_or_handlers() -> None:
    pages = [path for path in house.files("*.html", "*.svg", "*.jinja", "*.j2") if "tests" not in path.parts]
    mail = [path for path in pages if house.name_of(path).startswith("app/delivery/")]
    assert faults([path for path in pages if path not in mail], house.inline) == {}
    # Mail programs drop style sheets, so mail has its styles inline; it is never shown under our policy.
    assert faults(mail, lambda source: house.inline(source, styles=True)) == {}


def test_no_file_names_a_package_registry() -> None:
    texts = [path for path in house.files("*") if b"\0" not in path.read_bytes()]
    assert house.ROOT / "requirements.lock" in texts
    assert faults(texts, house.registries) == {}


def test_migrations_are_numbered_and_have_one_head() -> None:
    versions = house.files("*.py", under="migrations/versions")
    assert house.broken_chain({path.name: path.read_text(encoding="utf-8") for path in versions}) == []


def test_the_lock_pins_everything_with_hashes_and_names_no_place() -> None:
    assert house.unhashed((house.ROOT / "requirements.lock").read_text(encoding="utf-8")) == []


@pytest.fixture(scope="module")
def subset() -> ModuleType:
    """The helper of the set-up that picks from the lock what running needs."""
    spec = importlib.util.spec_from_file_location("subset", house.ROOT / ".ci" / "subset.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_lock_has_every_dependency_and_running_needs_no_test_tool(subset: ModuleType) -> None:
    project = tomllib.loads((house.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    packages = subset.blocks((house.ROOT / "requirements.lock").read_text(encoding="utf-8"))
    extras = [name for wanted in project["optional-dependencies"].values() for name in wanted]
    assert {subset.normal(name) for name in [*project["dependencies"], *extras]} <= set(packages)
    running = subset.needed(packages, {subset.normal(name) for name in project["dependencies"]})
    assert {"flask", "sqlalchemy", "psycopg-binary", "werkzeug"} <= set(running)
    assert not {"pytest", "playwright", "google-api-python-client", "celery"} & set(running)


def test_a_dependency_that_is_not_locked_is_named(subset: ModuleType) -> None:
    with pytest.raises(SystemExit, match="nonesuch"):
        subset.needed({"flask": ("flask==1", set())}, {"flask", "nonesuch"})


LONG = "def f():\n    '''What.'''\n" + "    x = 1\n" * 41


@pytest.mark.parametrize(
    ("checker", "source"),
    [
        (house.long_module, "x = 1\n" * 301),
        (house.long_functions, LONG),
        (house.commits, "def f(session):\n    session.commit()"),
        (house.commits, "undo = session.rollback"),
        (house.environment, "import os\nx = os.environ['A']"),
        (house.environment, "from os import getenv as g\nx = g('A')"),
        (house.clocks, "import datetime as d\nx = d.datetime.now()"),
        (house.clocks, "from datetime import datetime as when, UTC\nx = when.now(UTC)"),
        (house.clocks, "from datetime import date\nx = date.today()"),
        (house.clocks, "from time import time\nx = time()"),
        (house.clocks, "import sqlalchemy as sa\nx = sa.func.now()"),
        (house.inline, "<p>\n<script>alert(1)</script>"),
        (house.inline, "<button onclick='go()'>"),
        (house.inline, "<p {% if x %}style='color: red'{% endif %}>"),
        (house.inline, "<style>p {}</style>"),
        (house.inline, "<a href='JavaScript:go()'>"),
        (house.registries, "see https://" + "pypi" + ".org/simple"),
        (house.unhashed, "flask==3.1.3\n    # via leima"),
        (house.unhashed, "--extra-index-url x\nflask==3.1.3 \\\n    --hash=sha256:aa"),
        (house.unhashed, "flask @ file:///wheels/flask.whl \\\n    --hash=sha256:aa"),
    ],
)
def test_a_planted_fault_is_found(checker: Checker, source: str) -> None:
    assert checker(source)


@pytest.mark.parametrize(
    ("checker", "source"),
    [
        (house.long_functions, LONG.replace("    x = 1\n", "", 1)),
        (house.commits, "committed = commit()"),
        (house.clocks, "import time\nx = time.monotonic() - time.perf_counter()\ntime.sleep(1)"),
        (house.clocks, "from app.core import clock\nx = clock.now()"),
        (house.inline, "<script type='module' src='a.js' nonce='{{ csp_nonce() }}'></script>"),
        (house.inline, "<script type='application/json'>{}</script><p class='on' id='style'>{# <style> #}"),
        (house.unhashed, "# made by us\nflask==3.1.3 \\\n    --hash=sha256:aa\n    # via leima"),
    ],
)
def test_what_is_allowed_is_left_alone(checker: Checker, source: str) -> None:
    assert checker(source) == []


def test_browser_tests_of_one_service_share_no_contact() -> None:
    """Two members with one contact: a test would type the code that the other one's mail brought."""
    written = [
        pair
        for path in house.files("test_*.py", under="tests/browser")
        for pair in house.contacts(path.read_text("utf-8"))
    ]
    by_contact = Counter(contact for contact, _ in written)
    assert len(by_contact) > 10
    assert [contact for contact, tests in by_contact.items() if tests > 1] == []
    planted = (
        "def test_a():\n    join('a@example.com')\n    say('a@example.com')\ndef test_b():\n    join('a@example.com')\n"
    )
    assert house.contacts(planted) == [("a@example.com", "test_a"), ("a@example.com", "test_b")]


def test_mail_may_have_styles_but_no_scripts() -> None:
    assert house.inline("<p style='color: red'>", styles=True) == []
    assert house.inline("<p onclick='go()'>", styles=True)


def migration(number: str, before: str | None) -> str:
    return f"revision: str = {number!r}\ndown_revision = {before!r}\n"


@pytest.mark.parametrize(
    "second",
    [
        {"0003_cards.py": migration("0003", "0001")},
        {"0002_cards.py": migration("0002", None)},
        {"0002_cards.py": migration("0002", "0001"), "0002_more.py": migration("0002", "0001")},
        {"0002_cards.py": "down_revision = '0001'"},
    ],
    ids=["gap", "second root", "two heads", "no revision"],
)
def test_a_broken_chain_of_migrations_is_found(second: dict[str, str]) -> None:
    first = {"0001_core.py": migration("0001", None)}
    assert house.broken_chain(first | {"0002_ok.py": migration("0002", "0001")}) == []
    assert house.broken_chain(first | second)
