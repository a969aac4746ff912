"""`make engine`: the Pulumi CLI for the engine tests, and the language host for YAML programs.

Where `pulumi` is on PATH and new enough, nothing is built. Elsewhere Go builds both, at the versions of the `go.mod` files
beside this one and checked by their `go.sum` files, into `.engine/bin`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from sandbox.engine.pulumi_cli import BUILT, installed, language_host, minimum_version, version_of

TOOLS = Path(__file__).parent
CLI = "github.com/pulumi/pulumi/pkg/v3"
YAML = "github.com/pulumi/pulumi-yaml"
VERSION = "-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{version}"


def _build(folder: Path, module: str, package: str) -> bool:
    """Build one program of a pinned module, and say how far it is."""
    pinned = re.search(rf"^\s*{re.escape(module)} v(\S+)", (folder / "go.mod").read_text(encoding="utf-8"), re.M)
    assert pinned is not None
    environment = {**os.environ, "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
    print(
        f"building {package.rpartition('/')[2]} {pinned[1]} (once; some minutes): downloading its modules …", flush=True
    )
    listing = subprocess.run(["go", "list", "-deps", package], cwd=folder, env=environment, stdout=subprocess.PIPE)
    if listing.returncode:
        return False
    total = len(listing.stdout.split())
    command = ["go", "build", "-v", "-o", f"{BUILT}{os.sep}", "-ldflags", VERSION.format(version=pinned[1]), package]
    building = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
    assert building.stderr is not None
    compiled, reported, problems = 0, time.monotonic(), []
    for line in building.stderr:
        if re.fullmatch(r"[\w.~/-]+\s*", line):
            compiled += 1
        else:
            problems.append(line)
        if time.monotonic() - reported > 15:
            reported = time.monotonic()
            print(f"  {compiled} of at most {total} packages compiled", flush=True)
    if building.wait():
        sys.stderr.writelines(problems)
        return False
    return True


def main() -> int:
    """Build what is missing; returns the exit code."""
    has_go = shutil.which("go") is not None
    if installed() is None:
        if not has_go:
            oldest = ".".join(map(str, minimum_version()))
            print(
                f"the engine tests need the Pulumi CLI {oldest} or newer, or Go to build it: install one",
                file=sys.stderr,
            )
            return 1
        if not _build(TOOLS / "pulumi", CLI, f"{CLI}/cmd/pulumi"):
            return 1
    if (
        language_host("yaml") is None
        and has_go
        and not _build(TOOLS / "yaml", YAML, f"{YAML}/cmd/pulumi-language-yaml")
    ):
        return 1
    cli = installed()
    assert cli is not None
    print(f"the engine is {cli}, version {'.'.join(map(str, version_of(cli)))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
