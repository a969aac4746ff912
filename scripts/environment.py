"""`make` sets `.venv` up with this: `python scripts/environment.py up` (or `test`), with what is locked and nothing else.

It runs before anything is installed, so it needs the standard library alone. uv, at the version and the hashes that are
locked, installs everything in seconds; where uv cannot be had, or cannot reach the packages, pip does the same.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements-dev.txt"
BIN = VENV / ("Scripts" if sys.platform == "win32" else "bin")
PYTHON = BIN / "python"
UV = BIN / "uv"


class CannotSetUp(Exception):
    """The environment cannot be set up, and why."""


def parts() -> tuple[str, str]:
    """The lock's two parts: what `make up` needs beside uv, and what `make test` and `make check` add."""
    up, test = LOCK.read_text(encoding="utf-8").replace(f"{pin('uv')}\n", "").split("\n\n")
    return up, test


def pin(name: str) -> str:
    """A package's entry in the lock."""
    start = LOCK.read_text(encoding="utf-8").index(f"\n{name}==") + 1
    lines = LOCK.read_text(encoding="utf-8")[start:].splitlines()
    return "\n".join(lines[: 1 + next(i for i, line in enumerate(lines) if not line.endswith("\\"))])


def run(*command: object) -> str | None:
    """What is wrong, in a line, if a command fails."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    reason = next((line for line in lines if line.lower().startswith("error")), lines[-1] if lines else "")
    return re.sub("^error:? *", "", reason, flags=re.IGNORECASE).split(". ")[0] or f"exit code {done.returncode}"


def create() -> None:
    """A new environment with uv in it, if it can be had."""
    try:
        import ensurepip
        import venv
    except ImportError as error:
        what = f"{sys.executable} has no `{error.name}`"
        raise CannotSetUp(f"{what}: install it (python3-venv on Debian and Ubuntu) or set PYTHON=…") from None
    del ensurepip, venv
    print("setting up .venv, once: Python and uv …", flush=True)
    if problem := run(sys.executable, "-m", "venv", "--clear", VENV):
        raise CannotSetUp(f"{sys.executable} -m venv: {problem}")
    if problem := install_with_pip(pin("uv")):
        print(f"uv cannot be installed here, so pip installs the packages, which takes a minute or two ({problem})")


def install(text: str, count: int) -> None:
    """Install what the lock names, of which so many packages are new."""
    begin = time.monotonic()
    print(f"setting up .venv, once: {count} packages …", flush=True)
    problem: str | None = "uv is not there"
    if UV.exists():
        problem = install_with_uv(text)
        if problem:
            print(f"uv cannot install them, so pip does, which takes a minute or two ({problem})", flush=True)
    if problem and (problem := install_with_pip(text)):
        raise CannotSetUp(f"the packages cannot be installed: {problem}")
    print(f"setting up .venv, once: done in {time.monotonic() - begin:.0f} s", flush=True)


def install_with_uv(text: str) -> str | None:
    return run(UV, "pip", "install", "-q", "--python", PYTHON, "--require-hashes", "-r", written(text))


def install_with_pip(text: str) -> str | None:
    quiet = ("-q", "--disable-pip-version-check", "--no-input")
    return run(PYTHON, "-m", "pip", "install", *quiet, "--require-hashes", "-r", written(text))


def written(text: str) -> Path:
    path = VENV / "installing.txt"
    path.write_text(text + "\n", encoding="utf-8")
    return path


def main() -> int:
    (part,) = sys.argv[1:]
    if VENV.is_symlink():
        print(f".venv is a link to {VENV.resolve()}, which is taken as it is", flush=True)
        return 0
    up, test = parts()
    try:
        if part == "up":
            create()
            install(up, up.count("=="))
        else:
            install(f"{up}\n{test}", test.count("=="))
    except CannotSetUp as error:
        print(error, file=sys.stderr)
        return 2
    (VENV / f".{part}").touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
