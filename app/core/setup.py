"""Setting up by file: one transaction over the sections of all slices, all faults at once, a dry run.

A slice's `setup.py` has `SECTIONS`, the tables of the file that it owns, and `apply(setup)`, which saves them.
Source: design.md section 8.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from difflib import get_close_matches
from operator import attrgetter
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import toml
from app.core.db import Database
from app.core.errors import LeimaError
from app.core.tables import Base
from app.core.toml import Document, Fault, FaultList, Place


class Entry(BaseModel):
    """One table of the file. Unknown keys are refused; strings are stripped; `key` names what tells entries apart."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, str_strip_whitespace=True)
    key: ClassVar[tuple[str, ...]] = ("slug",)


E = TypeVar("E", bound=Entry)
R = TypeVar("R", bound=Base)
T = TypeVar("T")
_slug = attrgetter("slug")
_public_id = attrgetter("public_id")


@dataclass(frozen=True)
class Section:
    """A table of the file: `[name]`, or `[[name]]` when there may be many.

    `refers` names the keys that hold the slug of another table's entry: they are checked in faulty entries too.
    """

    name: str
    entry: type[Entry]
    many: bool = True
    refers: Mapping[str, tuple[str, type[Base]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Item(Generic[E]):
    """One valid entry and where it stands."""

    value: E
    place: Place

    def given(self, *names: str) -> dict[str, Any]:
        """Return those of the named fields that the file gives; what it omits is left alone."""
        return {name: getattr(self.value, name) for name in names if name in self.value.model_fields_set}


@dataclass(frozen=True)
class Change:
    """A line for the reader: `+` created, `~` changed. `public_id` is the id of a new row that callers name by it."""

    sign: str
    what: str
    detail: str = ""
    public_id: str = field(default="", compare=False)  # another one in each run


class SetupModule(Protocol):
    """What a slice's `setup.py` offers."""

    @property
    def SECTIONS(self) -> Sequence[Section]:
        """The tables of the file that it owns."""

    def apply(self, setup: "Setup") -> None:
        """Save the slice's sections through `setup`; faults go to `setup.fault`, never out as exceptions."""


class Setup:
    """One run over a file: its valid entries, the faults and the changes so far."""

    def __init__(self, session: Session, document: Document, sections: Iterable[Section]) -> None:
        self.session = session
        self.document = document
        self.faults: list[Fault] = []
        self.changes: list[Change] = []
        self.brand: Any = None  # the row of the brand: core does not know its class
        self._sections = {section.name: section for section in sections}
        self._items: dict[str, list[Item[Any]]] = {}
        self._unread: list[tuple[Section, dict[str, Any], Place]] = []  # entries too faulty to be saved
        for name in document.data:
            self._read(name)

    def items(self, section: str, entry: type[E]) -> list[Item[E]]:
        """Return the valid entries of `[[section]]` in the order of the file; `entry` is their type."""
        return [item for item in self._items.get(section, []) if isinstance(item.value, entry)]

    def one(self, section: str, entry: type[E]) -> Item[E] | None:
        """Return the entry of `[section]`, when it is there and valid."""
        return next(iter(self.items(section, entry)), None)

    def fault(self, place: Place, message: str) -> None:
        """Note a mistake; nothing of the file will be saved."""
        self.faults.append(Fault(self.document.line(place), message))

    def changed(self, sign: str, what: str, detail: str = "") -> None:
        """Note a change that `save` does not see, such as a new version."""
        self.changes.append(Change(sign, what, detail))

    def refer(self, section: str, model: type[R], slug: str, place: Place) -> R | None:
        """Return the row that an entry names by slug, saved by this file or there before; None is a fault."""
        rows: dict[str, R] = {_slug(row): row for row in self.session.scalars(select(model))}
        written = self.written(section)
        if slug not in rows and slug not in written:
            self.fault(place, f"no {_singular(section)} has the slug {slug!r}{_meant(slug, {*rows, *written})}")
        return rows.get(slug)

    def enter(self, brand: Any, brand_id: int) -> None:
        """Scope the rest of the run to a brand: `brand` is its row."""
        self.brand = brand
        self.session.info["brand_id"] = brand_id

    def save(
        self, model: type[R], what: str, match: dict[str, Any], values: dict[str, Any], *, with_id: bool = False
    ) -> R:
        """Create the row that `match` names, or change what differs from `values`; notes the change.

        Args:
            what: the row in the words of the file: `outlet kallio`.
            match: columns that find the row; they are set on a new one.
            values: column → new value; what is missing here is left alone.
            with_id: the change tells the public id of a new row, by which others will name it.
        """
        row = self.session.scalar(select(model).filter_by(**match))
        if row is None:
            row = model(**match, **values)
            self.session.add(row)
            self.session.flush()
            self.changes.append(Change("+", what, public_id=_public_id(row) if with_id else ""))
        else:
            self.update(row, what, values)
        return row

    def update(self, row: Base, what: str, values: dict[str, Any]) -> None:
        """Change what differs on a row that is there; notes the change, old → new."""
        known = {name: getattr(row, name) for name in values}
        differing = {name: value for name, value in values.items() if known[name] != value}
        for name, value in differing.items():
            setattr(row, name, value)
        if differing:
            self.session.flush()
            self.changed("~", what, ", ".join(_difference(name, known[name], new) for name, new in differing.items()))

    def _read(self, name: str) -> None:
        section, raw = self._sections.get(name), self.document.data[name]
        if section is None:
            self.fault((name,), f"unknown section {name!r}{_meant(name, self._sections)}")
            return
        if section.many is not isinstance(raw, list) or not isinstance(raw, list | dict):
            self.fault((name,), f"write [[{name}]], once for each" if section.many else f"write [{name}], only once")
            return
        seen: dict[tuple[Any, ...], int] = {}
        for number, values in enumerate(raw if isinstance(raw, list) else [raw]):
            self._read_entry(section, values, (name, number) if section.many else (name,), seen)

    def _read_entry(self, section: Section, values: Any, place: Place, seen: dict[tuple[Any, ...], int]) -> None:
        try:
            entry = section.entry.model_validate(values)
        except ValidationError as error:
            self.faults += entry_faults(self.document, place, section.entry, error)
            try:  # what is left of it may have further faults, of the kinds that only saving finds
                entry = section.entry.model_validate(_without_unknown(values, error))
            except ValidationError:
                if isinstance(values, dict):
                    self._unread.append((section, values, place))
                return
        if section.many:
            key = tuple(getattr(entry, name) for name in section.entry.key)
            if key in seen:
                self.fault(
                    place, f"{_singular(section.name)} {'/'.join(map(str, key))} stands on line {seen[key]} already"
                )
                return
            seen[key] = self.document.line(place)
        self._items.setdefault(section.name, []).append(Item(entry, place))

    def refer_unread(self) -> None:
        """Check the references of entries that were too faulty to be saved, so that all faults come at once."""
        for section, values, place in self._unread:
            for key, (wanted, model) in section.refers.items():
                slug = values.get(key)
                if isinstance(slug, str) and slug.strip():
                    self.refer(wanted, model, slug.strip(), (*place, key))

    def written(self, section: str, key: str = "slug") -> set[str]:
        """Return the slugs that stand in the file, faulty entries too: a reference to one is no second fault."""
        raw = self.document.data.get(section, [])
        return {str(entry.get(key)) for entry in raw if isinstance(entry, dict)} if isinstance(raw, list) else set()


class _DryRun(Exception):
    pass


def apply_file(
    database: Database, path: Path, modules: Sequence[SetupModule], *, dry_run: bool = False
) -> list[Change]:
    """Set up everything that a file names, in one transaction, and return what changed.

    Raises:
        FaultList: with every fault; nothing was changed.
    """
    document = toml.read(path)
    changes: list[Change] = []
    try:
        with database.unit() as session:
            setup = Setup(session, document, [section for module in modules for section in module.SECTIONS])
            for module in modules:
                module.apply(setup)
            setup.refer_unread()
            if setup.faults:
                raise FaultList(document.name, setup.faults)
            changes = setup.changes
            if dry_run:
                raise _DryRun
    except _DryRun:
        pass
    return changes


def entry_faults(document: Document, place: Place, entry: type[BaseModel], error: ValidationError) -> list[Fault]:
    """Return pydantic's errors as faults of the file, in words for who wrote it."""
    faults = []
    for fault in error.errors():
        where: Place = (*place, *fault["loc"])
        name = str(fault["loc"][-1]) if fault["loc"] else ""
        if fault["type"] == "extra_forbidden":
            known = entry.model_fields if len(fault["loc"]) == 1 else ()
            message = f"unknown key {name!r}{_meant(name, known)}"
        elif fault["type"] == "missing":
            message = f"{name!r} is missing"
        else:
            text = fault["msg"].removeprefix("Value error, ")
            message = f"{name}: {text[:1].lower()}{text[1:]}" if name else text
        faults.append(Fault(document.line(where), message))
    return faults


def _without_unknown(values: Any, error: ValidationError) -> Any:
    """Return an entry without the keys that nothing knows."""
    known = deepcopy(values)
    for fault in error.errors():
        if fault["type"] == "extra_forbidden":
            node = known
            with suppress(LookupError, TypeError):  # inside a choice of forms the place is not a path of the file
                for part in fault["loc"][:-1]:
                    node = node[part]
                del node[fault["loc"][-1]]
    return known


def _meant(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _singular(section: str) -> str:
    return section.removesuffix("s").replace("_", " ")


def _difference(name: str, old: object, new: object) -> str:
    """Say what changed; row numbers mean nothing to people and stay inside."""
    return f"{name[:-3]} changed" if name.endswith("_id") else f"{name}: {_shown(old)} → {_shown(new)}"


def _shown(value: object) -> str:
    return "nothing" if value is None else f'"{value}"' if isinstance(value, str) else str(value)


def checked(check: Callable[[str], T]) -> Callable[[str], T]:
    """Return a check of ours as a pydantic validator: its refusal becomes a fault of the key."""

    def validate(text: str) -> T:
        try:
            return check(text)
        except LeimaError as error:
            raise ValueError(error.message) from None

    return validate
