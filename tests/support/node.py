"""Programs from npm for tests: providers that we did not write. Without Node the tests skip.

The packages are locked in tests/node and installed there once, by the first test that needs them.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.support.patience import PATIENCE

FOLDER: Final = Path(__file__).parents[1] / "node"
SPECS: Final = FOLDER.parents[2] / "shared" / "specs"
INSTALL_SECONDS: Final = 150


def spec(name: str) -> Path:
    """A vendor's API description beside the repository; skips where it is absent."""
    path = SPECS / name
    if not path.exists():
        pytest.skip(f"no {name} in ../shared/specs: the vendors' descriptions are not in this repo")
    return path


def install() -> None:
    """Install the locked packages unless they are there; skips when that is impossible."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node is not installed: providers from npm cannot run")
    lock = Path(tempfile.gettempdir()) / f"returns-api-npm-{os.getuid()}.lock"
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not _is_current():
            _npm_ci()


def _is_current() -> bool:
    """Whether everything that the lock names is installed."""
    installed = FOLDER / "node_modules" / ".package-lock.json"
    if not installed.exists():
        return False
    locked = json.loads((FOLDER / "package-lock.json").read_bytes())["packages"]
    needed = {name for name, package in locked.items() if name and not package.get("optional")}
    there: dict[str, object] = json.loads(installed.read_bytes())["packages"]
    return needed <= there.keys()


@contextmanager
def running(*command: str, port: int) -> Iterator[str]:
    """Run a program of node_modules until the block ends; gives its base URL once it listens."""
    process = subprocess.Popen(command, cwd=FOLDER, stdout=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


def _npm_ci() -> None:
    command = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    try:
        subprocess.run(
            command, cwd=FOLDER, check=True, capture_output=True, timeout=INSTALL_SECONDS
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"npm could not install the test packages: {type(error).__name__}")


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, "the program ended while starting"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the program does not listen")
