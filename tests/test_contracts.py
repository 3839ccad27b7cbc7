"""The import contracts of pyproject.toml: each is broken by a planted import, so none of them is asleep.

`make lint` checks the app itself; here the same contracts meet a small app that has one fault at a time.
"""

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests import house

SOUND = {
    "cli.py": "import app.wsgi, app.fakes.apple",
    "core/db.py": "import sqlalchemy",
    "core/jobs.py": "import app.core.db",
    "core/web.py": "import flask",
    "doors/apple.py": "import flask, app.core.web, app.members.service, app.wallet.apple",
    "fakes/apple.py": "import app.wsgi",
    "members/jobs.py": "import app.core.jobs, app.members.service",
    "members/rules.py": "import re",
    "members/service.py": "import app.core.db, app.core.jobs, app.members.rules",
    "network/service.py": "import app.core.db",
    "registry.py": "import app.doors.apple, app.members.jobs",
    "wallet/apple.py": "import json",
    "worker.py": "import app.registry",
    "wsgi.py": "import flask, app.registry",
}


@dataclass(frozen=True)
class Answer:
    """What import-linter said: the contracts kept and those broken, by name."""

    kept: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)


def lint(folder: Path, planted: dict[str, str]) -> Answer:
    """Write the small app with planted lines and ask import-linter about it."""
    for name in SOUND.keys() | planted.keys():
        path = folder / "app" / name
        for package in (folder / "app", path.parent):
            package.mkdir(parents=True, exist_ok=True)
            (package / "__init__.py").touch()
        path.write_text(f"{SOUND.get(name, '')}\n{planted.get(name, '')}\n", encoding="utf-8")
    (folder / "pyproject.toml").write_bytes((house.ROOT / "pyproject.toml").read_bytes())
    code = "import sys; sys.path[:0] = ['.']; from importlinter.cli import lint_imports_command; lint_imports_command()"
    told = subprocess.run(
        [sys.executable, "-c", code, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )
    answer = Answer()
    for line in told.stdout.splitlines():
        for word, names in ((" KEPT", answer.kept), (" BROKEN", answer.broken)):
            if word in line:
                names.add(line.split(word)[0])
    assert (told.returncode == 0) == (not answer.broken), told.stdout + told.stderr
    assert len(answer.kept | answer.broken) == 4, told.stdout + told.stderr
    return answer


DOWN = "One way down"
HTTP = "Slices do not know HTTP"
PURE = "Rules and protocols are pure"
JOBS = "Slices' jobs are imported by the registry only"


def test_a_sound_app_keeps_all_four_contracts(tmp_path: Path) -> None:
    assert lint(tmp_path, {}).kept == {DOWN, HTTP, PURE, JOBS}


@pytest.mark.parametrize(
    ("contract", "planted"),
    [
        (DOWN, {"network/service.py": "import app.members.service"}),
        (DOWN, {"worker.py": "import app.wsgi"}),
        (DOWN, {"stray.py": ""}),
        (HTTP, {"members/service.py": "import flask"}),
        (HTTP, {"members/service.py": "import app.core.web"}),
        (HTTP, {"members/service.py": "import app.core.other", "core/other.py": "import app.core.web"}),
        (HTTP, {"core/other.py": "import werkzeug.exceptions"}),
        (HTTP, {"reports/pdf.py": "import apiflask"}),
        (PURE, {"members/rules.py": "import app.core.db"}),
        (PURE, {"wallet/apple.py": "import app.members.service"}),
        (PURE, {"delivery/sms.py": "import sqlalchemy"}),
        (JOBS, {"members/service.py": "import app.members.jobs"}),
        (JOBS, {"worker.py": "from app.members import jobs"}),
    ],
)
def test_a_planted_import_breaks_its_contract(tmp_path: Path, contract: str, planted: dict[str, str]) -> None:
    assert contract in lint(tmp_path, planted).broken
