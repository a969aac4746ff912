"""The command as its users run it, in this process, and files for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from policies.identity_scope.command.main import main


class Run(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def findings(self) -> list[dict[str, Any]]:
        """The findings of `--format json`."""
        return [finding for verdict in json.loads(self.out)["verdicts"] for finding in verdict["findings"]]

    @property
    def rules(self) -> list[str]:
        return sorted({finding["rule"] for finding in self.findings})


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Run:
    capsys.readouterr()
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as error:
        code = int(error.code or 0)
    out, err = capsys.readouterr()
    return Run(code, out, err)


def check(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Run:
    return run(capsys, "check", "--format", "json", *arguments)


def write(path: Path, content: Any) -> Path:
    """A file with a text, or with a value as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2), encoding="utf-8")
    return path


def written(folder: Path, files: Mapping[str, Any]) -> Path:
    for name, content in files.items():
        write(folder / name, content)
    return folder
