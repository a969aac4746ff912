"""The two commands of the README, as they stand there: a finding with its fix, and a page."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.policies.command.run import run

SECTION = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Check a template")[2].partition("## ")[0]


def test_the_commands_of_the_readme(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install, check, report = re.findall(r"^(?:pip|identity-scope) .*$", SECTION, re.MULTILINE)
    assert install == "pip install ./policies"  # which test_check.py does
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    found = run(capsys, *shlex.split(check)[1:])
    assert (found.code, found.err) == (1, "")
    mandatory = re.findall(r"^(\S+): (\S+) \(\w+, mandatory\)$", found.out, re.MULTILINE)
    assert [rule for _, rule in mandatory] == [*["s3-isolated-by-identity"] * 2, "vended-role-cannot-escalate"]
    assert found.out.count("    Fix: ") == len(re.findall(r"^\S+: \S+ \(\w+, \w+\)$", found.out, re.MULTILINE))
    assert run(capsys, *shlex.split(report)[1:]).code == 0
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count('<g class="node leak">') == 3
