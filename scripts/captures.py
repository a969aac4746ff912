"""Writes the terminal captures of the front page, from what the program prints: `python -m scripts.captures`.

`docs/images/make-up.svg` is a run of `make up`; `docs/images/finding.svg` is a run of a stack that leaks. Identifiers and
timings differ from run to run and are replaced, so that a test can hold each picture against the current output.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from html import escape, unescape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
COLUMNS = 130

LEAK = """\
  scoped-identity:authenticated:
    grants:
      - statement:
          Effect: Allow
          Action: s3:GetObject
          Resource: arn:aws:s3:::notes-dev-albums/*/${cognito-identity.amazonaws.com:sub}/*
"""
"""A statement that looks as if it were limited to the user's own folder."""

IDENTIFIER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Of a pool or an identity, another one in each run. Those in a finding are the pack's examples, and always the same."""


def make_up() -> list[str]:
    """The lines of `make up`, without the steps and the long outputs."""
    lines = _run(ROOT, "dev", "0a1b2c3d-4e5f-4678-9abc-def012345678")
    created = [line for line in lines if line.startswith("    + ")]
    table = next(index for index, line in enumerate(lines) if line.startswith("who "))
    return ["$ make up", lines[0], "  …", *created, "  …", *lines[table:]]


def finding() -> list[str]:
    """The lines of `make up` for a copy of the dev stack with a statement that leaks: the finding, and how it ends."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in ("components", "policies", "sandbox"):
            ignored = shutil.ignore_patterns("venv", ".venv", "__pycache__")
            shutil.copytree(ROOT / name, copy / name, ignore=ignored)
        for name in ("Pulumi.yaml", "__main__.py"):
            shutil.copy(ROOT / name, copy)
        stack = (ROOT / "Pulumi.dev.yaml").read_text(encoding="utf-8")
        (copy / "Pulumi.leak.yaml").write_text(stack + LEAK, encoding="utf-8")
        lines = _run(copy, "leak")
    start = next(index for index, line in enumerate(lines) if line.startswith("policy violation"))
    end = next(
        index for index in range(start, len(lines)) if not lines[index] or lines[index].startswith("    advisory")
    )
    statement = LEAK.splitlines()
    command = [f"$ tail -n {len(statement)} Pulumi.leak.yaml", *statement, "", "$ make up STACK=leak"]
    return [*command, "  …", *lines[start:end], "  …", lines[-1]]


def _run(folder: Path, stack: str, identifier: str | None = None) -> list[str]:
    command = [sys.executable, "-m", "sandbox", "up", "--stack", stack]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
    ) as process:
        text, _ = process.communicate(timeout=120)
    text = text.replace(folder.resolve().as_uri(), "file:///…")
    if identifier is not None:
        text = IDENTIFIER.sub(identifier, text)
    return [part for line in text.rstrip().split("\n") for part in _wrapped(line.rstrip())]


def _wrapped(line: str) -> list[str]:
    """The line as a terminal of COLUMNS would show it, broken between words where that is possible."""
    parts = []
    indent = len(line) - len(line.lstrip())
    while len(line) > COLUMNS:
        cut = line.rfind(" ", indent + 1, COLUMNS)
        cut = cut if cut > 0 else COLUMNS
        parts.append(line[:cut].rstrip())
        line = " " * indent + line[cut:].lstrip()
    return [*parts, line]


SIZE, LEADING, MARGIN = 12, 17, 18
STYLE = """\
.paper{fill:#f6f8fa;stroke:#d0d7de}
text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#1f2328;white-space:pre}
.ok{fill:#1a7f37}.bad{fill:#cf222e;font-weight:600}.dim{fill:#59636e}.you{font-weight:600}
@media (prefers-color-scheme:dark){.paper{fill:#0d1117;stroke:#30363d}text{fill:#e6edf3}
.ok{fill:#3fb950}.bad{fill:#ff7b72}.dim{fill:#9198a1}}"""

PAINT = (
    (re.compile(r"^\$ .*"), "you"),
    (re.compile(r"^(policy violation|stopped|error).*"), "bad"),
    (re.compile(r"^  (Fix|fix):"), "ok"),
    (re.compile(r"^(scoped-identity: |  [a-z].*…$|  …|  signing ).*"), "dim"),
    (re.compile(r"^    \+"), "ok"),
    (re.compile(r"✓|^\d+ of \d+ .*"), "ok"),
    (re.compile(r"✗.*"), "bad"),
)


def svg(lines: list[str], title: str) -> str:
    """A picture of a terminal, which follows the reader's light or dark scheme."""
    width = round(COLUMNS * SIZE * 0.603) + 2 * MARGIN
    height = len(lines) * LEADING + 2 * MARGIN
    rows = "\n".join(
        f'<text x="{MARGIN}" y="{MARGIN + LEADING * (index + 1) - 5}" xml:space="preserve">{_painted(line)}</text>'
        for index, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img">\n<title>{escape(title)}</title>\n<style>{STYLE}</style>\n'
        f'<rect class="paper" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8"/>\n{rows}\n</svg>\n'
    )


def _painted(line: str) -> str:
    for pattern, name in PAINT:
        match = pattern.search(line)
        if match:
            before, after = line[: match.start()], line[match.end() :]
            painted = f'<tspan class="{name}">{escape(match.group())}</tspan>'
            return f"{escape(before)}{painted}{escape(after)}"
    return escape(line)


def text_of(picture: str) -> list[str]:
    """The lines that a picture shows."""
    rows = re.findall(r"<text [^>]*>(.*?)</text>", picture)
    return [unescape(re.sub(r"<[^>]+>", "", row)) for row in rows]


CAPTURES = {
    "make-up.svg": (make_up, "make up deploys a stack into the sandbox, and two users try what they may do"),
    "finding.svg": (finding, "the policy pack stops a stack whose users could read each other's files"),
}


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    for name, (lines, title) in CAPTURES.items():
        (IMAGES / name).write_text(svg(lines(), title), encoding="utf-8")


if __name__ == "__main__":
    main()
