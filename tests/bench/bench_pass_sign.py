"""How many signed passes a second: a stamp card of some 55 kB with drawn images, ours beside its peers.

All of them sign with the same RSA-2048 key and put the same images and fields in the pass. Rounds are short and mixed,
so that what else the machine does meets all alike; ratios are medians over the rounds.
"""

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from wallet import models

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # run as a script, only this folder is there

from app.core import clock  # noqa: E402
from app.fakes.wallet_chain import WalletChain, wallet_chain  # noqa: E402
from app.wallet.apple import build_pass  # noqa: E402
from app.wallet.signer import Signer  # noqa: E402
from app.wallet.templates import Template  # noqa: E402
from tests.bench.passkit_process import Passkit  # noqa: E402
from tests.bench.run import Figure  # noqa: E402
from tests.wallet import passkit_reader  # noqa: E402
from tests.wallet.test_templates_kinds import TEMPLATES, VIEWS, packed  # noqa: E402

ROUNDS = 101
AT_A_TIME = {"leima": 48, "rsa": 64, "wallet-py3k": 2, "passkit-generator": 1}
WARM_UP = {"leima": 24, "rsa": 32, "wallet-py3k": 0, "passkit-generator": 0}
SERIAL, TOKEN, URL = (
    "01J8ZQ5W3YV7N6K4T2R0P9M8AB",
    "0123456789abcdef0123456789abcdef",
    "https://meri.example/wallet/meri",
)
NAME = "stamp-card"
Work = Callable[[int], float]  # does it so many times and returns the seconds that it took


def bench() -> list[Figure]:
    """Measure, and ask passkit-generator's schema about every template."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        chain = wallet_chain(folder / "chain")
        signer = Signer.load(certificate=chain.certificate, key=chain.key, wwdr=chain.wwdr, now=clock.now())
        size = len(_ours(signer)())
        works: dict[str, Work] = {
            "leima": _timed(_ours(signer)),
            "rsa": _timed(_bare(signer)),
            "wallet-py3k": _timed(_library(chain, signer, folder)),
        }
        if passkit_reader.installed():
            works["passkit-generator"] = stack.enter_context(_passkit(chain, signer))
        seconds = _measure(works)
    return [*_figures(seconds, size), _schema(signer)]


def _measure(works: dict[str, Work]) -> dict[str, list[float]]:
    """Return the seconds of one pass in each round.

    Many short rounds, each in an order of its own, and each work warms up before it is timed: what the one before it
    left behind, such as a collection of garbage in another process, and what else the machine does, meets all alike.
    """
    found: dict[str, list[float]] = {who: [] for who in works}
    order, dice = list(works), random.Random(1)
    for _ in range(ROUNDS):
        dice.shuffle(order)
        for who in order:
            works[who](WARM_UP[who])
            found[who].append(works[who](AT_A_TIME[who]) / AT_A_TIME[who])
    return found


def _figures(seconds: dict[str, list[float]], size: int) -> Iterator[Figure]:
    names = {
        "leima": "leima", "rsa": "RSA-2048 alone", "wallet-py3k": f"wallet-py3k {version('wallet-py3k')}",
        "passkit-generator": f"passkit-generator {_passkit_version()}",
    }  # fmt: skip
    what = f"sign a pass of {size / 1000:.0f} kB"
    for who, found in seconds.items():
        yield Figure(what, names[who], 1 / statistics.median(found), "passes/s", ROUNDS)
    for peer, least in (("wallet-py3k", 10.0), ("rsa", 0.75), ("passkit-generator", None)):
        if peer in seconds:
            ratios = [theirs / ours for ours, theirs in zip(seconds["leima"], seconds[peer], strict=True)]
            yield Figure(f"leima / {names[peer]}", "leima", statistics.median(ratios), "ratio", ROUNDS, at_least=least)
    if "passkit-generator" not in seconds:
        yield Figure("passkit-generator left out: no node and npm here", "-", 0, "passes/s", 0)


def _timed(work: Callable[[], object]) -> Work:
    def run(times: int) -> float:
        begun = time.perf_counter()
        for _ in range(times):
            work()
        return time.perf_counter() - begun

    return run


def _ours(signer: Signer) -> Callable[[], bytes]:
    template, view = TEMPLATES[NAME], VIEWS[NAME]
    return lambda: build_pass(template, view, signer=signer, serial=SERIAL, token=TOKEN, web_service_url=URL)


def _bare(signer: Signer) -> Callable[[], bytes]:
    data, padding, digest = b"m" * 900, PKCS1v15(), SHA256()
    return lambda: signer.key.sign(data, padding, digest)


def _content(signer: Signer) -> tuple[dict[str, bytes], dict[str, object]]:
    """Return the images and words of our pass, and its pass.json, for the peers to put together."""
    template: Template = TEMPLATES[NAME]
    files = {entry.name: entry.data for entry in template.entries(VIEWS[NAME])}
    face: dict[str, object] = json.loads(packed(NAME, signer)["pass.json"])
    return files, face


def _library(chain: WalletChain, signer: Signer, folder: Path) -> Callable[[], bytes]:
    """Return wallet-py3k as its README uses it: it starts an `openssl` process for each pass."""
    files, face = _content(signer)
    paths = [folder / name for name in ("pass.pem", "pass.key", "wwdr.pem")]
    for path, data in zip(paths, (chain.certificate, chain.key, chain.wwdr), strict=True):
        path.write_bytes(data)
    certificate, key, wwdr = map(str, paths)

    def work() -> bytes:
        card = models.StoreCard()
        for name, fields in face["storeCard"].items():  # type: ignore[attr-defined]
            for one in fields:
                getattr(card, name).append(models.Field(one["key"], one["value"], one.get("label", "")))
        made = models.Pass(
            card, passTypeIdentifier=chain.pass_type_id, organizationName="Meri Roastery", teamIdentifier=chain.team_id
        )
        made.serialNumber, made.description = SERIAL, face["description"]
        made.webServiceURL, made.authenticationToken = URL, TOKEN
        made.barcode = models.Barcode(message=VIEWS[NAME].member_qr, format=models.BarcodeFormat.QR)
        for name, data in files.items():
            made.addFile(name, BytesIO(data))
        packed_as: BytesIO = made.create(certificate, key, wwdr, "unused")
        return packed_as.getvalue()

    assert b"signature" in work()
    return work


@contextmanager
def _passkit(chain: WalletChain, signer: Signer) -> Iterator[Work]:
    files, face = _content(signer)
    with Passkit(passkit_reader.FOLDER, chain, files, face) as process:
        yield process.run


def _passkit_version() -> str:
    if not passkit_reader.installed():
        return ""
    path = passkit_reader.FOLDER / "node_modules" / "passkit-generator" / "package.json"
    return str(json.loads(path.read_text(encoding="utf-8"))["version"])


def _schema(signer: Signer) -> Figure:
    what = "templates whose pass.json passkit-generator's schema accepts"
    if not passkit_reader.installed():
        return Figure(f"{what}: left out, no node and npm here", "-", 0, "templates", 0)
    faults = passkit_reader.faults({name: json.loads(packed(name, signer)["pass.json"]) for name in TEMPLATES})
    accepted = sum(not told for told in faults.values())
    return Figure(what, f"passkit-generator {_passkit_version()}", accepted, "templates", 1, at_least=len(TEMPLATES))
