"""The checkers of the house rules: each takes source text and returns its faults, so that a test can plant one."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODULE_LINES = 300
FUNCTION_LINES = 40

# Made by tools or by running, so not what people write and commit.
_NOT_OURS = re.compile(r"(build|data|\.(?!ci/)[^/]+|[^/]+\.egg-info)/|(.*/)?(__pycache__|node_modules)/")
_PYTHON_CLOCKS = {
    *(f"datetime.datetime.{name}" for name in ("now", "utcnow", "today")),
    "datetime.date.today",
    *(f"time.{name}" for name in ("time", "time_ns", "localtime", "gmtime", "ctime")),
}
_SQL_CLOCKS = re.compile(r"(^|\.)func\.(now|current_timestamp|localtimestamp|datetime|date|strftime)$")
_ENVIRONMENT = {"os.environ", "os.environb", "os.getenv", "os.getenvb", "os.putenv"}
_CONTACT = re.compile(r"[\w.+-]+@example\.com|(\+358|0)[\d ]{6,}")
# Written in two parts, else this file would break its own rule.
_REGISTRIES = [
    f"{name}.{top}"
    for name, top in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("unpkg", "com"),
        ("jsdelivr", "net"),
        ("esm", "sh"),
        ("skypack", "dev"),
        ("cdnjs", "cloudflare.com"),
        ("fonts", "googleapis.com"),
        ("fonts", "gstatic.com"),
    )
]


def files(*globs: str, under: str = ".") -> list[Path]:
    """List the files of the checkout that people write, by name patterns."""
    found = {path for glob in globs for path in (ROOT / under).rglob(glob) if path.is_file()}
    return sorted(path for path in found if not _NOT_OURS.match(name_of(path)))


def name_of(path: Path) -> str:
    """Return a path as people write it, from the root of the checkout."""
    return path.relative_to(ROOT).as_posix()


def long_module(source: str) -> list[str]:
    """Find a module of more than 300 lines."""
    lines = len(source.splitlines())
    return [f"{lines} lines"] if lines > MODULE_LINES else []


def long_functions(source: str) -> list[str]:
    """Find functions whose body, without the docstring, has more than 40 lines."""
    return [
        f"{node.name} has {lines} lines"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (lines := _body_lines(node)) > FUNCTION_LINES
    ]


def _body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (node.end_lineno or 0) - body[0].lineno + 1 if body else 0


def commits(source: str) -> list[str]:
    """Find calls and mentions of `.commit` and `.rollback`."""
    return [
        f"line {node.lineno}: .{node.attr}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute) and node.attr in ("commit", "rollback")
    ]


def misnumbered(name: str, text: str) -> bool:
    """Tell whether a decision's heading has another number than its file, or none."""
    return not text.startswith(f"# {int(name[:4])}. ")


def environment(source: str) -> list[str]:
    """Find where the environment is read or written."""
    return [f"line {line}: {name}" for line, name in _dotted(source) if name in _ENVIRONMENT]


def clocks(source: str) -> list[str]:
    """Find where the time of day is read, in Python or in SQL; measuring a duration is free."""
    return [
        f"line {line}: {name}" for line, name in _dotted(source) if name in _PYTHON_CLOCKS or _SQL_CLOCKS.search(name)
    ]


def _dotted(source: str) -> Iterator[tuple[int, str]]:
    """Give every dotted name of a module in full: aliases of imports are followed."""
    tree = ast.parse(source)
    aliases: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            aliases |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            aliases |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and (name := _full_name(node, aliases)):
            yield node.lineno, name


def _full_name(node: ast.expr, aliases: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return aliases.get(node.id, node.id)
    if isinstance(node, ast.Attribute) and (base := _full_name(node.value, aliases)):
        return f"{base}.{node.attr}"
    return None


class _Inline(HTMLParser):
    """Collects what a strict content security policy refuses."""

    def __init__(self, *, styles: bool) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.styles = styles  # whether styles may be inline, as in mail

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: (value or "").strip() for name, value in attrs}
        # Data of another type than JavaScript is not run, so no policy asks about it.
        data = given.get("type", "").endswith("json")
        if tag == "script" and "src" not in given and not data:
            self._fault("<script> without src")
        for name, value in given.items():
            if re.fullmatch(r"on[a-z]+", name):
                self._fault(f"{name}= on <{tag}>")
            if value.lower().startswith("javascript:"):
                self._fault(f"javascript: in {name}=")
        if not self.styles and (tag == "style" or "style" in given):
            self._fault("<style>" if tag == "style" else f"style= on <{tag}>")

    def _fault(self, what: str) -> None:
        self.faults.append(f"line {self.getpos()[0]}: {what}")


def inline(source: str, *, styles: bool = False) -> list[str]:
    """Find inline scripts, handlers and (unless `styles`) styles in a template."""
    parser = _Inline(styles=styles)
    parser.feed(re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", _only_newlines, source, flags=re.DOTALL))
    parser.close()
    return parser.faults


def _only_newlines(match: re.Match[str]) -> str:
    return "\n" * match[0].count("\n")


def registries(source: str) -> list[str]:
    """Find the hosts of package registries and content delivery networks."""
    return [f"names {host}" for host in _REGISTRIES if host in source.lower()]


def unhashed(lock: str) -> list[str]:
    """Find pins of a lock without a hash, and anything that ties it to one place."""
    place = re.compile(r"://|file:/|[ =]/")
    faults = [f"line {number}: a place" for number, line in enumerate(lock.splitlines(), 1) if place.search(line)]
    for block in re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"(?m)^#.*\n?", "", lock).strip()):
        first = block.splitlines()[0].rstrip("\\ ")
        if not re.fullmatch(r"[a-z0-9._-]+==[^\s;]+(\s*;.*)?", first):
            faults.append(f"not pinned: {first}")
        elif "--hash=sha256:" not in block:
            faults.append(f"no hash: {first}")
    return faults


def broken_chain(migrations: dict[str, str]) -> list[str]:
    """Find faults in the chain of migrations, given as sources by file name: numbered from 0001, one head."""
    faults = []
    before = None
    for position, name in enumerate(sorted(migrations), 1):
        number = f"{position:04}"
        if not re.fullmatch(rf"{number}_[a-z0-9_]+\.py", name):
            faults.append(f"{name}: should be {number}_what_it_does.py")
        told = _assigned(migrations[name])
        if told.get("revision") != number:
            faults.append(f"{name}: revision is {told.get('revision')!r}, not {number!r}")
        if told.get("down_revision", "missing") != before:
            faults.append(f"{name}: down_revision is {told.get('down_revision')!r}, not {before!r}")
        before = number
    return faults or ([] if migrations else ["there is no migration"])


def _assigned(source: str) -> dict[str, object]:
    found: dict[str, object] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id: node.value.value for target in targets if isinstance(target, ast.Name)}
    return found


def contacts(source: str) -> list[tuple[str, str]]:
    """Find the contacts that each function of a module of browser tests writes: contact, function; each pair once."""
    found = {
        (text.value, function.name)
        for function in ast.parse(source).body
        if isinstance(function, ast.FunctionDef)
        for text in ast.walk(function)
        if isinstance(text, ast.Constant) and isinstance(text.value, str) and _CONTACT.fullmatch(text.value)
    }
    return sorted(found)
