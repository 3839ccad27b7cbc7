"""passkit-generator in a node process of its own, which makes passes when asked and says how long it took."""

import base64
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from app.fakes.wallet_chain import WalletChain

SCRIPT = Path(__file__).parent / "passkit_sign.mjs"


class Passkit:
    """The process; close it by leaving the block."""

    def __init__(self, folder: Path, chain: WalletChain, files: Mapping[str, bytes], face: Mapping[str, Any]) -> None:
        command = ["node", str(SCRIPT), str(folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._tell(
            {
                "files": {name: base64.b64encode(data).decode() for name, data in files.items()},
                "pass": dict(face),
                "certificates": {
                    "wwdr": chain.wwdr.decode(), "signerCert": chain.certificate.decode(),
                    "signerKey": chain.key.decode(),
                },
            }
        )  # fmt: skip

    def run(self, times: int) -> float:
        """Let it make so many passes, and return the seconds that they took there."""
        answer = self._tell({"times": times})
        if times and answer["bytes"] < 10_000:
            raise RuntimeError("passkit-generator made no whole pass")
        return float(answer["seconds"])

    def _tell(self, message: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the node process has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._process as process:  # closes the pipes, which ends the loop there, and waits
            assert process.stdin is not None
            process.stdin.close()
