"""Clients in JavaScript: their packages, installed once for a test run."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NPM, NODE = shutil.which("npm"), shutil.which("node")
needs_npm = pytest.mark.skipif(NPM is None or NODE is None, reason="npm and Node.js are not installed")
_OFFLINE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "ENETUNREACH")


def packages(folder: Path) -> Path:
    """The folder with the packages of package.json, in which a test's scripts are as well."""
    home = folder / "node"
    with (folder / "node.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        if not (home / "installed").exists():
            home.mkdir(exist_ok=True)
            for source in (*HERE.glob("*.mjs"), HERE / "package.json"):
                shutil.copy(source, home)
            command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"]
            done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
            if any(code in done.stderr for code in _OFFLINE):
                pytest.skip("npm cannot reach its registry")
            assert done.returncode == 0, done.stderr
            (home / "installed").touch()
    return home
