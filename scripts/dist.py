"""`make dist`: the policy pack as one executable file, `dist/identity-scope`, and its checksum.

The Pulumi CLI takes the file for `--policy-pack` and starts it as `FILE ENGINE_ADDRESS`. It holds the pack and its locked
dependencies for each supported version of Python, so that nothing is installed where it runs; Python itself must be there.
The same commit gives the same bytes wherever Python has the same zlib.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
PACK = ROOT / "policies"
NAME = "identity-scope"
ENTRY = "identity_scope.pack.crossguard:run"
PLATFORM = "x86_64-manylinux_2_28"
VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
NOT_SHIPPED = ("bin", "debugpy", "__pycache__", ".lock", "RECORD", "WHEEL", "INSTALLER", "REQUESTED", "uv_*.json")
"""What the pack does not need, and what differs between installations of one lock.

The SDK requires debugpy for programs that are started under a debugger; it is half of all bytes.
"""


class CannotBuild(Exception):
    """The file cannot be built, and why."""


def build(folder: Path, platform: str = PLATFORM, versions: Sequence[str] = VERSIONS) -> Path:
    """Write the file and its checksum into a folder; the file.

    Raises:
        CannotBuild: a dependency has no wheel for the platform, or a tool failed.
    """
    with TemporaryDirectory() as temporary:
        site = Path(temporary) / "site"
        for version in versions:
            # Wheels of one release differ only in their compiled modules, whose names tell the version of Python.
            _merge(_installed(Path(temporary) / version, platform, version), site)
        _merge(PACK / "identity_scope", site / "identity_scope")
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / NAME
        _pack(site, file, versions)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    (folder / f"{NAME}.sha256").write_text(f"{digest}  {NAME}\n", encoding="utf-8")
    return file


def _installed(target: Path, platform: str, version: str) -> Path:
    """The locked dependencies of the pack, as wheels that need not run here."""
    place = ("--target", target, "--python-platform", platform, "--python-version", version)
    wheels = ("--only-binary", ":all:", "--no-deps", "--require-hashes", "-r", PACK / "requirements.txt")
    _run("uv", "pip", "install", "-q", "--no-config", *place, *wheels)
    return target


def _merge(source: Path, destination: Path) -> None:
    """Copy a folder into another one.

    Raises:
        CannotBuild: both have a file of one name with different content.
    """
    ignored = shutil.ignore_patterns(*NOT_SHIPPED)
    shutil.copytree(source, destination, ignore=ignored, copy_function=_copy, dirs_exist_ok=True)


def _copy(source: str, destination: str) -> None:
    content, place = Path(source).read_bytes(), Path(destination)
    if place.exists() and place.read_bytes() != content:
        raise CannotBuild(f"{place.name} differs between the wheels of one release")
    place.write_bytes(content)


def _pack(site: Path, file: Path, versions: Sequence[str]) -> None:
    for path in site.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)  # whatever the umask is
    major, minor = versions[-1].split(".")
    python = f">={versions[0]},<{major}.{int(minor) + 1}"
    # --venv: the environment in pex's cache starts faster than the archive.
    start = ("--venv", "--python-shebang", "/usr/bin/env python3", "--interpreter-constraint", python)
    _run("pex", "--no-pypi", "--disable-cache", *start, "-D", site, "-e", ENTRY, "-o", file)
    file.chmod(0o755)


def _run(tool: str, *arguments: object) -> None:
    command: list[object] = [Path(sys.executable).with_name(tool), *arguments]
    if not Path(str(command[0])).exists():
        raise CannotBuild(f"`{tool}` is not installed beside {sys.executable}")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PEX_", "PYTHON"))}
    done = subprocess.run([str(word) for word in command], env=environment, capture_output=True, text=True)
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        problem = next((line for line in lines if line.startswith("error: ")), lines[-1] if lines else "it failed")
        raise CannotBuild(f"{tool}: {problem.removeprefix('error: ')}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the file; returns the exit code."""
    parser = argparse.ArgumentParser(prog="dist.py", description="Build the policy pack as one executable file.")
    parser.add_argument("--platform", default=PLATFORM, help="a platform by the name that uv gives it")
    options = parser.parse_args(arguments)
    try:
        file = build(ROOT / "dist", options.platform)
    except CannotBuild as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{file.relative_to(ROOT)} ({file.stat().st_size / 1e6:.0f} MB)")
    print(file.with_suffix(".sha256").read_text(encoding="utf-8"), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
