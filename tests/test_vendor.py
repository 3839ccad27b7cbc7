"""The browser code of others is what vendor.toml says: every file listed, unchanged, with its licence."""

import hashlib
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests import house

VENDOR = house.ROOT / "pwa" / "vendor"


def faults(folder: Path) -> list[str]:
    """Compare a folder of vendored code with its vendor.toml."""
    told = tomllib.loads((folder / "vendor.toml").read_text(encoding="utf-8"))
    found: list[str] = []
    listed: dict[str, str] = {}
    for package in told.get("package", []):
        found += _package(package)
        listed |= package.get("files", {})
    here = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    del here["vendor.toml"]
    found += [f"{name}: not listed" for name in here.keys() - listed.keys()]
    found += [f"{name}: missing" for name in listed.keys() - here.keys()]
    for name in here.keys() & listed.keys():
        if hashlib.sha256(here[name].read_bytes()).hexdigest() != listed[name]:
            found.append(f"{name}: changed")
    return found


def _package(package: dict[str, Any]) -> list[str]:
    name, files = package.get("name"), package.get("files", {})
    found = [f"{name}: no {key}" for key in ("name", "version", "license", "source") if not package.get(key)]
    home = f"{name}-{package.get('version')}/"
    found += [f"{file}: not in {home}" for file in files if not file.startswith(home)]
    if not any(Path(file).name.upper().startswith("LICEN") for file in files):
        found.append(f"{name}: no licence text")
    return found


def test_vendored_code_is_listed_unchanged_and_licensed() -> None:
    assert faults(VENDOR) == []


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder with one vendored package that has no fault."""
    folder = tmp_path / "vendor"
    (folder / "thing-1.0").mkdir(parents=True)
    files = {"thing-1.0/thing.mjs": b"export const thing = 1\n", "thing-1.0/LICENSE": b"Do what you like.\n"}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    hashes = "\n".join(f'"{name}" = "{hashlib.sha256(content).hexdigest()}"' for name, content in files.items())
    head = 'name = "thing"\nversion = "1.0"\nlicense = "MIT"\nsource = "npm:thing@1.0"\n'
    (folder / "vendor.toml").write_text(f"[[package]]\n{head}[package.files]\n{hashes}\n", encoding="utf-8")
    assert faults(folder) == []
    return folder


def test_a_changed_file_is_found(copy: Path) -> None:
    with (copy / "thing-1.0" / "thing.mjs").open("a") as file:
        file.write("// and more\n")
    assert faults(copy) == ["thing-1.0/thing.mjs: changed"]


def test_a_file_that_nobody_listed_is_found(copy: Path) -> None:
    shutil.copy(copy / "thing-1.0" / "LICENSE", copy / "other.mjs")
    assert faults(copy) == ["other.mjs: not listed"]


def test_a_listed_file_that_is_gone_is_found(copy: Path) -> None:
    (copy / "thing-1.0" / "thing.mjs").unlink()
    assert faults(copy) == ["thing-1.0/thing.mjs: missing"]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('license = "MIT"', "", "thing: no license"),
        ('version = "1.0"', 'version = "2.0"', "not in thing-2.0/"),
        ("thing-1.0/LICENSE", "thing-1.0/COPY", "no licence text"),
    ],
)
def test_an_incomplete_entry_is_found(copy: Path, old: str, new: str, fault: str) -> None:
    told = copy / "vendor.toml"
    told.write_text(told.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    assert any(fault in found for found in faults(copy))
