"""docs/testing-with-the-sandbox.md: what is there to be copied runs as it stands; docs/enforced.md is up to date."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from identity_sandbox import Sandbox
from scripts import enforced
from tests.browser import browser, needs_browser
from tests.clients.node import needs_npm, packages
from tests.clients.served import served
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "testing-with-the-sandbox.md"


def file(name: str) -> str:
    """The block of the page that is a file of this name."""
    found = re.findall(rf"```\w+\n(?:#|//) {re.escape(name)}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(found) == 1, name
    return str(found[0])


def pytest_in(folder: Path, *names: str) -> None:
    """Run files of the page as a stranger's pytest does, by the plugin alone."""
    for name in names:
        (folder / name).write_text(file(name), encoding="utf-8")
    options = ("-q", "-p", "identity_sandbox.plugin", "-p", "no:cacheprovider", "--rootdir=.")
    command = [sys.executable, "-m", "pytest", *options, *(name for name in names if name.startswith("test_"))]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for name in [name for name in environment if name.startswith(("PYTEST_", "COV_"))]:
        del environment[name]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout


def test_the_first_tests_pass_in_an_empty_folder(tmp_path: Path) -> None:
    pytest_in(tmp_path, "test_files.py", "conftest.py")


def test_the_test_of_a_template_passes(tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests" / "testing" / "template.json", tmp_path / "template.json")
    pytest_in(tmp_path, "test_template.py")


def test_the_test_of_a_stack_passes(tmp_path: Path) -> None:
    (tmp_path / "infrastructure").symlink_to(ROOT)
    pytest_in(tmp_path, "test_stack.py")


@needs_npm
def test_the_test_in_javascript_passes(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (tmp_path / "node_modules").symlink_to(packages(tmp_path_factory.getbasetemp().parent) / "node_modules")
    (tmp_path / "upload.mjs").write_text(file("upload.mjs"), encoding="utf-8")
    pytest_in(tmp_path, "test_javascript.py")


@needs_npm
@needs_browser
def test_the_app_with_amplify_runs(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (tmp_path / "node_modules").symlink_to(packages(tmp_path_factory.getbasetemp().parent) / "node_modules")
    for name in ("app.mjs", "build.mjs"):
        (tmp_path / name).write_text(file(name), encoding="utf-8")
    subprocess.run(["node", "build.mjs", "app.mjs", "served/app.js"], cwd=tmp_path, check=True)
    with Sandbox.pool() as sandbox, browser(tmp_path_factory.mktemp("browser")) as tab:
        sandbox.sign_up("ann")
        with served(tmp_path / "served", "app.js", sandbox.environment) as address:
            tab.open(address)
            tab.wait("globalThis.downloaded !== undefined")
            assert tab.run("globalThis.downloaded") == "a"


def test_the_table_of_what_is_enforced_is_up_to_date() -> None:
    assert enforced.PAGE.read_text(encoding="utf-8") == enforced.page()


def test_the_table_names_what_a_session_may_call() -> None:
    text = enforced.page()
    assert json.dumps(text)
    for operation in ("GetObject", "CreateMultipartUpload", "TransactWriteItems", "GetCredentialsForIdentity"):
        assert f"\n| {operation} | " in text
