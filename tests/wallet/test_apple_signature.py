"""The signature of a pass, as openssl reads it; what one changed byte does; what making it never does."""

import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.core import clock
from app.fakes.pkpass import PkpassRefused, open_pass
from app.fakes.wallet_chain import UNTIL, WalletChain
from app.wallet import signer as signers
from app.wallet.apple import build_pass
from app.wallet.model import CardView
from app.wallet.signer import Signer
from app.wallet.templates import Template
from tests.wallet.readers import unpack, verify
from tests.wallet.test_templates_kinds import VIEWS
from tests.wallet.test_templates_kinds import packed as packed_kind

View = Callable[..., CardView]
_SPAWNING = ("subprocess.Popen", "os.posix_spawn", "os.exec", "os.fork", "os.forkpty", "os.system", "os.spawn")
_spawned: list[str] = []
_watching = [False]


def _watch(event: str, _args: tuple[Any, ...]) -> None:
    if _watching[0] and event in _SPAWNING:
        _spawned.append(event)


sys.addaudithook(_watch)


@pytest.fixture(scope="module")
def packed(template: Template, signer: Signer, a_view: View) -> bytes:
    return build_pass(template, a_view(), signer=signer, serial="01J8ZQ5W3YV7N6K4T2R0P9M8AB")


@pytest.mark.parametrize("how", ["smime", "cms"])
def test_signature_verifies_up_to_the_root_with_the_intermediate_it_carries(
    how: str, packed: bytes, chain: WalletChain, tmp_path: Path
) -> None:
    files = unpack(packed)

    answer = verify(how, files, chain, tmp_path)

    assert (answer.returncode, answer.stdout) == (0, files["manifest.json"]), answer.stderr


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("how", ["smime", "cms"])
def test_every_kind_of_pass_verifies(how: str, name: str, signer: Signer, chain: WalletChain, tmp_path: Path) -> None:
    answer = verify(how, packed_kind(name, signer), chain, tmp_path)

    assert answer.returncode == 0, answer.stderr


def test_signature_is_detached_from_what_it_signs(packed: bytes) -> None:
    files = unpack(packed)

    assert files["manifest.json"][:40] not in files["signature"]


@pytest.mark.parametrize("how", ["smime", "cms"])
@pytest.mark.parametrize("part", ["signature", "manifest.json"])
def test_one_changed_byte_is_refused(how: str, part: str, packed: bytes, chain: WalletChain, tmp_path: Path) -> None:
    files = unpack(packed)
    at = len(files[part]) - 20
    files[part] = files[part][:at] + bytes([files[part][at] ^ 1]) + files[part][at + 1 :]

    assert verify(how, files, chain, tmp_path).returncode != 0


def test_changed_byte_of_pass_json_is_refused_by_a_phone(packed: bytes, chain: WalletChain) -> None:
    assert open_pass(packed, authority=chain.root).fields["balance"] == "7/10"
    changed = packed.replace(b"7/10", b"9/10")  # the archive's own sum is broken too
    files = unpack(packed) | {"pass.json": unpack(packed)["pass.json"].replace(b"7/10", b"9/10")}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)

    for each in (changed, out.getvalue()):
        with pytest.raises(PkpassRefused):
            open_pass(each, authority=chain.root)


def test_signing_time_is_the_moment_of_the_clock(template: Template, signer: Signer, a_view: View) -> None:
    with clock.moved(to=datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)):
        signature = unpack(build_pass(template, a_view(), signer=signer, serial="1"))["signature"]

    assert re.search(rb"\x17\x0d310506070[89]..Z", signature)


def test_nothing_secret_is_logged_while_passes_are_made_or_refused(
    template: Template, signer: Signer, chain: WalletChain, a_view: View
) -> None:
    token = "a-token-of-the-pass-0123456789"

    with capture_logs() as logs:
        url = "https://meri.example/wallet/meri"
        build_pass(template, a_view(), signer=signer, serial="1", token=token, web_service_url=url)
        with clock.moved(to=UNTIL + timedelta(seconds=1)), pytest.raises(signers.CertificateExpired) as refused:
            build_pass(template, a_view(), signer=signer, serial="1", token=token, web_service_url=url)

    told = repr((logs, signer, refused.value, refused.value.extra))
    assert [secret for secret in (token, "PRIVATE", chain.key.decode()[40:90]) if secret in told] == []


def test_no_process_is_spawned_and_the_watch_would_see_one(template: Template, signer: Signer, a_view: View) -> None:
    _spawned.clear()
    _watching[0] = True
    try:
        build_pass(template, a_view(stamps=3, size=8), signer=signer, serial="1")
        ours = list(_spawned)
        subprocess.run(["true"], check=True)
    finally:
        _watching[0] = False

    assert ours == []
    assert "subprocess.Popen" in _spawned
