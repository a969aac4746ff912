"""The program against a flat one with the same resources and JSON by hand, and where the seconds of its start go."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from sandbox.engine import in_process, stack_files

ROOT = Path(__file__).resolve().parent.parent
MAIN = ROOT / "__main__.py"
FLAT = Path(__file__).resolve().parent / "flat_program.py"


@dataclass(frozen=True)
class Compared:
    """Seconds of the program and of the flat one; the ratio is the median of the rounds' own."""

    program: float
    flat: float
    ratio: float


def whole_process(rounds: int) -> Compared:
    """A process of its own, as the language host starts it: interpreter, imports, config, resources, documents."""
    config = json.dumps(stack_files.read(ROOT, "dev").config)

    def seconds(main: Path) -> float:
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-m", "benchmarks.alone", str(main), config], cwd=ROOT, check=True)
        return time.perf_counter() - begin

    return _alternating(rounds, lambda: seconds(MAIN), lambda: seconds(FLAT))


def warm(rounds: int) -> Compared:
    """A preview in this process, everything imported: what the component's own work costs."""
    files = stack_files.read(ROOT, "dev")

    def seconds(main: Path) -> float:
        begin = time.perf_counter()
        in_process.check(main, files.project, files.stack, files.config, {})
        return time.perf_counter() - begin

    return _alternating(rounds * 10, lambda: seconds(MAIN), lambda: seconds(FLAT))


def _alternating(rounds: int, ours: Callable[[], float], flat: Callable[[], float]) -> Compared:
    ours(), flat()
    pairs = [(ours(), flat()) for _ in range(rounds)]
    return Compared(median(a for a, _ in pairs), median(b for _, b in pairs), median(a / b for a, b in pairs))


def imports() -> dict[str, float]:
    """Milliseconds that importing takes, by package, each module counted once with what it imports taken off."""
    command = "import components.scoped_identity, components.scoped_identity.config"
    told = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", command], cwd=ROOT, check=True, capture_output=True, text=True
    ).stderr
    found: dict[str, float] = {}
    for own, module in re.findall(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", told):
        package = "components.scoped_identity" if module.startswith("components") else module.partition(".")[0]
        found[package] = found.get(package, 0.0) + int(own) / 1000
    return dict(sorted(found.items(), key=lambda item: -item[1]))
