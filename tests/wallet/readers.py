"""Readers of passes that are not ours: the zip's own checks, and openssl's word on the signature."""

import io
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path

from app.fakes.wallet_chain import WalletChain


def unpack(packed: bytes) -> dict[str, bytes]:
    """Return the files of a `.pkpass` whose sums hold."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def verify(
    how: str, files: Mapping[str, bytes], chain: WalletChain, folder: Path
) -> subprocess.CompletedProcess[bytes]:
    """Ask `openssl smime` or `openssl cms` whether the signature of the manifest leads to the root."""
    for name, data in (("signature", files["signature"]), ("manifest", files["manifest.json"]), ("root", chain.root)):
        (folder / name).write_bytes(data)
    paths = ("-in", str(folder / "signature"), "-content", str(folder / "manifest"), "-CAfile", str(folder / "root"))
    command = ["openssl", how, "-verify", "-binary", "-inform", "DER", *paths, "-purpose", "any"]
    return subprocess.run(command, capture_output=True, check=False)
