"""What the project depends on: locked with hashes, and under licences that let everybody use it."""

from __future__ import annotations

import re
import subprocess
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest

from scripts.environment import parts, pin
from tests.conftest import ROOT

LOCKS = [ROOT / name for name in ("requirements.txt", "requirements-dev.txt", "policies/requirements.txt")]
FREE = re.compile(r"MIT|BSD|Apache|ISC|MPL|Mozilla|PSF|Python Software|0BSD|Unlicense|CC0|Zlib|Artistic", re.IGNORECASE)
COPYLEFT = re.compile(r"\bA?GPL|General Public License", re.IGNORECASE)


UNTOLD = {"cvc5": "BSD-3-Clause"}
"""Packages whose metadata says nothing, and what the project's own licence file says."""


def pinned(lock: Path) -> list[tuple[str, str, int]]:
    """(name, version, number of hashes) of each entry."""
    text = lock.read_text().replace("\\\n", " ")
    found = []
    for line in text.splitlines():
        match = re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", line)
        if match:
            found.append((match.group(1), match.group(2), line.count("--hash=sha256:")))
    return found


def licence(name: str) -> str:
    """What a package's metadata says of its licence."""
    told = metadata(name)
    words = [str(told[key])[:200] for key in ("License-Expression", "License") if key in told]
    words += [c for c in told.get_all("Classifier") or [] if c.startswith("License")]
    return " ".join(words) or UNTOLD.get(name, "")


@pytest.mark.parametrize("lock", LOCKS, ids=[str(lock.relative_to(ROOT)) for lock in LOCKS])
def test_everything_is_pinned_with_hashes(lock: Path) -> None:
    entries = pinned(lock)
    assert entries
    assert [name for name, _, hashes in entries if hashes == 0] == []


@pytest.mark.parametrize("lock", LOCKS, ids=[str(lock.relative_to(ROOT)) for lock in LOCKS])
def test_no_registry_is_named(lock: Path) -> None:
    assert not re.search(r"https?:|index-url|find-links", lock.read_text(encoding="utf-8"))


def test_there_is_no_other_lock() -> None:
    listed = subprocess.run(["git", "ls-files", "*requirements*.txt"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this is no clone")
    named = {ROOT / line for line in listed.stdout.splitlines()}
    assert named - {ROOT / "components" / "requirements.txt"} == set(LOCKS)  # which names the program's


def test_make_up_installs_a_part_of_the_development_environment() -> None:
    """What ships is in the first part, at the versions that one environment for all allows, and uv is in neither."""
    up, test = ({re.split("==", line)[0] for line in part.splitlines() if "==" in line} for part in parts())
    assert {name for lock in (LOCKS[0], LOCKS[2]) for name, _, _ in pinned(lock)} <= up
    assert "moto" in up
    assert "pytest" in test
    assert not up & test
    assert "uv" not in up | test
    assert pin("uv").count("--hash=sha256:") > 5


@pytest.mark.parametrize("name", sorted({name for name, _, _ in pinned(LOCKS[1])}))
def test_the_licence_lets_everybody_use_it(name: str) -> None:
    try:
        said = licence(name)
    except PackageNotFoundError:
        pytest.skip(f"{name} is not for this platform or this Python")
    assert FREE.search(said), said
    assert not COPYLEFT.search(said.replace("LGPL", "")), said


def test_the_pack_depends_on_the_sdk_and_its_command_on_a_yaml_reader() -> None:
    lines = (ROOT / "policies" / "requirements.in").read_text().splitlines()
    assert [line.split(">")[0] for line in lines if line and not line.startswith("#")] == ["pulumi-policy", "pyyaml"]


def test_the_pack_is_built_by_the_locked_setuptools() -> None:
    """`pulumi install` builds the package in an environment of its own, in which nothing of the lock is."""
    (needed,) = re.findall(r'^requires = \["(.*)"\]', (ROOT / "policies" / "pyproject.toml").read_text(), re.MULTILINE)
    assert needed in {f"{name}=={version}" for name, version, _ in pinned(LOCKS[2])}


def test_what_mutation_testing_names_is_there() -> None:
    """A pattern of a module that has moved would leave it out without a word."""
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("[tool.mutmut]")[2]
    named = re.findall(r'"((?:components|policies|tests)/[^"]+)"', settings)
    assert named
    assert [pattern for pattern in named if not list(ROOT.glob(pattern))] == []
