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

IGNORED = [line.strip("/") for line in (ROOT / "policies" / ".gitignore").read_text().splitlines() if line[0] != "#"]
"""`publish` leaves out what a `.gitignore` names; a copy of the folder has its own alone."""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is packed of a copy in which the pack has run, with its requirements installed from their hashes."""
    copy = shutil.copytree(ROOT / "policies", tmp_path_factory.mktemp("copy") / "policies")
    for file in ("venv/lib/x.py", ".venv/pyvenv.cfg", ".mypy_cache/3.10/x.json", "identity_scope/__pycache__/x.pyc"):
        (copy / file).parent.mkdir(parents=True, exist_ok=True)
        (copy / file).touch()
    folder = tmp_path_factory.mktemp("published") / "identity-scope"
    shutil.copytree(copy, folder, ignore=shutil.ignore_patterns(*IGNORED))
    return folder


@pytest.fixture(scope="module")
def python(published: Path) -> str:
    environment = published / "venv"
    python = environment / "bin" / "python"
    locked = ["--require-hashes", "-r", str(published / "requirements.txt")]
    uv = Path(sys.executable).with_name("uv")
    if uv.exists():
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, environment], check=True)
        subprocess.run([uv, "pip", "install", "-q", "--python", python, *locked], check=True)
    else:
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *locked], check=True)
    return str(python)


def test_the_packed_folder_is_small_and_holds_no_environment(published: Path) -> None:
    files = [path for path in published.rglob("*") if path.is_file()]
    assert not {"venv", ".venv", ".mypy_cache", "__pycache__"} & {
        part for p in files for part in p.relative_to(published).parts
    }
    assert {"PulumiPolicy.yaml", "__main__.py", "requirements.txt", "README.md"} <= {p.name for p in files}
    assert sum(p.stat().st_size for p in files) < 1_500_000


def test_the_packed_folder_runs_by_itself_and_judges(
    published: Path, python: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join([str(published / "venv" / "bin"), os.environ["PATH"]]))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    with Analyzer(published, python=python) as pack:
        assert {p.name for p in pack.info().policies} >= set(SHORT.values())
        found = told(ask(pack, [role(), policy(document([allow("arn:aws:s3:::notes/*")]))]))
        assert "s3-isolated-by-identity" in {rule for rule, _ in found}
