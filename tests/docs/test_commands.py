"""Every `pulumi` command that a document names has been run: here is by what, and a command that is not listed fails.

Where the CLI is installed, it also knows every option that a document uses.
"""

from __future__ import annotations

import re
import shlex
import subprocess

import pytest

from sandbox.engine import pulumi_cli
from tests.conftest import ROOT
from tests.docs.test_docs import PAGES

PLACES = [*PAGES, ROOT / "examples" / "gitlab-ci.yml", *sorted((ROOT / ".github" / "workflows").glob("*.yml"))]
TRIED = {
    "config set": "tests/engine/test_backend.py",
    "install": "tests/engine/test_hosts.py",
    "login": "tests/engine/test_backend.py",
    "package add": "tests/engine/test_hosts.py, with a path; a repository only by its help",
    "policy analyze": "tests/engine/test_organization.py",
    "policy enable": "tests/engine/test_organization.py",
    "policy group edit": "tests/engine/test_organization.py",
    "policy group ls": "tests/engine/test_organization.py",
    "policy group new": "tests/engine/test_organization.py",
    "policy install": "tests/engine/test_organization.py",
    "policy publish": "tests/engine/test_organization.py",
    "preview": "tests/engine/test_pull_request.py",
    "refresh": "tests/engine/test_drift.py",
    "stack export": "tests/engine/test_organization.py",
    "stack init": "tests/engine/test_backend.py",
    "stack ls": "tests/engine/test_organization.py",
    "up": "tests/engine/test_backend.py",
}
_COMMAND = re.compile(r"(?:^|[ `$(])pulumi (?=[a-z])([^`\n|&;)]*)", re.MULTILINE)


def commands() -> dict[str, set[str]]:
    """Each command that is named, with the options that are used with it."""
    found: dict[str, set[str]] = {}
    for page in PLACES:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        if page.suffix == ".md":  # only what is written as code
            code = re.findall(r"```\w*\n.*?```|`[^`]+`", text, re.DOTALL)
            text = "\n".join(part if part.startswith("```") else " ".join(part.split()) for part in code)
        for rest in _COMMAND.findall(text):
            words = rest.split("#")[0].split()
            command = next((c for n in (3, 2, 1) if (c := " ".join(words[:n])) in TRIED), " ".join(words[:2]))
            found.setdefault(command, set()).update(word.split("=")[0] for word in words if word.startswith("--"))
    return found


def test_every_command_that_is_named_has_been_run() -> None:
    found = commands()
    assert set(found) - set(TRIED) == set()
    assert set(TRIED) - set(found) <= {"install"}
    for by in TRIED.values():
        if by.startswith("tests/"):
            assert (ROOT / shlex.split(by)[0].rstrip(",")).exists(), by


def test_the_cli_knows_every_option_that_is_used() -> None:
    cli = pulumi_cli.installed()
    if cli is None:
        pytest.skip("there is no Pulumi CLI; `make engine` builds one")
    for command, options in commands().items():
        text = subprocess.run([cli, *command.split(), "--help"], capture_output=True, text=True, check=True).stdout
        unknown = {option for option in options if not re.search(rf"{option}\b", text)}
        assert unknown <= {"--entity-type"}, command  # which newer versions hide
