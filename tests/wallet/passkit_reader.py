"""passkit-generator's schema, asked from Python: an independent word on what a pass.json may say.

`.ci/setup test` installs it from npm into build/, pinned and hashed by the lock in tests/wallet/passkit/.
"""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "passkit"
FOLDER = Path(__file__).parents[2] / "build" / "passkit"


def exists() -> bool:
    """Tell whether this machine could have it: node and npm are there."""
    return all(shutil.which(name) for name in ("node", "npm"))


def installed() -> bool:
    """Tell whether `.ci/setup` has installed it."""
    return (FOLDER / "node_modules" / "passkit-generator" / "package.json").is_file()


def faults(passes: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return what the schema refuses of each pass.json."""
    command = ["node", str(HERE / "check.mjs"), str(FOLDER)]
    done = subprocess.run(command, input=json.dumps(passes), capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found
