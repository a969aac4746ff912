"""What `pulumi policy publish` would pack installs and runs by itself, in an environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.engine.policy_pack import Analyzer
from tests.conftest import ROOT
from tests.policies.pack.engine import SHORT, allow, ask, document, policy, role, told

IGNORED = {line.strip("/ \n") for line in (ROOT / ".gitignore").read_text().splitlines()}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packed folder, with its requirements installed from their hashes."""
    folder = tmp_path_factory.mktemp("published") / "identity-scope"
    shutil.copytree(ROOT / "policies", folder, ignore=shutil.ignore_patterns(*IGNORED))
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    install = ["install", "-q", "--disable-pip-version-check", "--require-hashes", "-r", "requirements.txt"]
    subprocess.run([str(folder / "venv" / "bin" / "python"), "-m", "pip", *install], cwd=folder, check=True)
    return folder


def test_the_packed_folder_is_small_and_holds_no_environment(published: Path) -> None:
    files = [p for p in published.rglob("*") if p.is_file() and "venv" not in p.relative_to(published).parts]
    assert {"PulumiPolicy.yaml", "__main__.py", "requirements.txt", "README.md"} <= {p.name for p in files}
    assert sum(p.stat().st_size for p in files) < 1_000_000


def test_the_packed_folder_runs_by_itself_and_judges(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join([str(published / "venv" / "bin"), os.environ["PATH"]]))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    python = str(published / "venv" / "bin" / "python")
    with Analyzer(published, python=python) as pack:
        assert {p.name for p in pack.info().policies} >= set(SHORT.values())
        found = told(ask(pack, [role(), policy(document([allow("arn:aws:s3:::notes/*")]))]))
        assert "s3-isolated-by-identity" in {rule for rule, _ in found}
