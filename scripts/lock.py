"""`make lock`: lock the dependencies with hashes, for every platform and each Python from 3.10.

There are three locks: what ships with the program, what ships with the pack, and the development environment. The last has
two parts, so that `make up` installs no more than it needs: `scripts/environment.py` installs one or both.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
OPTIONS = ["--universal", "--generate-hashes", "--python-version=3.10", "--no-header", "--no-annotate"]


def lock(folder: Path, name: str, *options: str) -> Path:
    """Lock `NAME.in` of a folder as `NAME.txt`; versions that are locked stay, unless `--upgrade` is given."""
    uv = Path(sys.executable).with_name("uv")
    done = subprocess.run(
        [uv, "pip", "compile", "-q", *OPTIONS, *options, f"{name}.in", "-o", f"{name}.txt"], cwd=folder
    )
    if done.returncode:
        sys.exit(done.returncode)
    return folder / f"{name}.txt"


def entries(lock_file: Path) -> list[str]:
    """The entries of a lock, each with the lines of its hashes."""
    found: list[str] = []
    for line in lock_file.read_text(encoding="utf-8").splitlines(keepends=True):
        if line[0].isalnum():
            found.append(line)
        elif not line.startswith("#") and line.strip():
            found[-1] += line
    return found


def main() -> None:
    upgrade = sys.argv[1:]
    lock(ROOT, "requirements", *upgrade)
    lock(ROOT / "policies", "requirements", *upgrade)
    whole = lock(ROOT, "requirements-dev", *upgrade)
    first, second = [part.splitlines() for part in (ROOT / "requirements-dev.in").read_text().split("\n\n")]
    with TemporaryDirectory() as folder:
        absolute = [line.replace("-r ", f"-r {ROOT}/") for line in first]
        (Path(folder) / "up.in").write_text("\n".join(absolute) + "\n")
        up = entries(lock(Path(folder), "up", "-c", str(whole)))
    rest = [entry for entry in entries(whole) if entry not in up]
    assert len(up) + len(rest) == len(entries(whole)), "the parts of the lock differ"
    whole.write_text("".join([f"{first[0]}\n", *up, f"\n{second[0]}\n", *rest]), encoding="utf-8")


if __name__ == "__main__":
    main()
