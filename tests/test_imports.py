"""Which folder may import which: the layout's directions, read from the import statements of every module."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACK = ("automata", "iam", "inventory", "sources", "proof", "findings", "pack", "report", "command")
SANDBOX = ("aws", "provider", "engine", "scenario", "cli")
"""A folder imports only the folders that are listed before it."""

PACK_REQUIREMENTS = {"pulumi", "pulumi_policy", "grpc", "google", "yaml"}
EVALUATOR = "policies.identity_scope"
SOURCES = tuple(f"{EVALUATOR}.{name}" for name in ("sources.", "inventory.facts", "command.load"))
"""What reads somebody's files, for the sandbox as for the command."""


def imported(path: Path, root: Path) -> Iterator[str]:
    """The absolute name of each module that a module imports, at any depth of its code."""
    package = path.relative_to(root).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            name = ".".join(base + ([node.module] if node.module else []))
            # `from . import a` imports the module `a`; `from .a import b` imports `a`, whatever `b` is.
            yield from ([name] if node.module else [f"{name}.{alias.name}" for alias in node.names])


def modules(folder: Path) -> Iterator[Path]:
    yield from (path for path in sorted(folder.rglob("*.py")) if "venv" not in path.parts)


def violations(folder: Path, package: str, order: Sequence[str]) -> set[tuple[str, str]]:
    """(module, imported folder) of each import that goes down the list."""
    wrong = set()
    for path in modules(folder):
        place = path.relative_to(folder)
        own = order.index(place.parts[0]) if len(place.parts) > 1 else len(order)
        for name in imported(path, folder.parent):
            parts = name.split(".")
            if parts[0] == package and len(parts) > 1 and parts[1] in order and order.index(parts[1]) > own:
                wrong.add((place.as_posix(), parts[1]))
    return wrong


def test_the_packs_folders_import_only_those_above_them() -> None:
    assert violations(ROOT / "policies" / "identity_scope", "identity_scope", PACK) == set()


def test_the_sandboxs_folders_import_only_those_above_them() -> None:
    assert violations(ROOT / "sandbox", "sandbox", SANDBOX) == set()


@pytest.mark.parametrize(("folder", "order"), [("policies/identity_scope", PACK), ("sandbox", SANDBOX)])
def test_every_folder_has_its_place_in_the_list(folder: str, order: Sequence[str]) -> None:
    folders = {path.parent.relative_to(ROOT / folder).parts[0] for path in (ROOT / folder).glob("*/**/*.py")}
    assert folders - {"__pycache__"} <= set(order)


def test_the_pack_imports_nothing_outside_its_folder_but_its_requirements() -> None:
    allowed = {*sys.stdlib_module_names, *PACK_REQUIREMENTS, "identity_scope"}
    for path in modules(ROOT / "policies"):
        for name in imported(path, ROOT / "policies"):
            assert name.partition(".")[0] in allowed, (path.name, name)


def test_the_component_imports_nothing_of_the_pack_or_the_sandbox() -> None:
    for path in modules(ROOT / "components"):
        for name in imported(path, ROOT):
            assert not name.startswith(("policies", "sandbox", "identity_scope", "tests")), (path.name, name)


def test_the_sandbox_imports_nothing_of_the_component_and_of_the_pack_only_the_evaluator_and_sources() -> None:
    """The sandbox and the pack share one evaluator; a wrong fact of the component must not agree with itself."""
    for path in modules(ROOT / "sandbox"):
        for name in imported(path, ROOT):
            assert not name.startswith(("components", "scoped_identity", "tests")), (path.name, name)
            if path.name == "templates.py" and name.startswith("policies"):
                assert name.startswith(SOURCES), (path.name, name)
            elif name.startswith("policies"):
                assert name.startswith(f"{EVALUATOR}.iam."), (path.name, name)
                assert path.name in ("authorization.py", "condition_keys.py"), (path.name, name)


def test_a_wrong_import_is_found(tmp_path: Path) -> None:
    for place, text in (
        ("pkg/iam/a.py", "from ..proof import reach\n"),
        ("pkg/iam/b.py", "def late() -> None:\n    from ..proof.reach import Principal\n"),
        ("pkg/proof/c.py", "from ..iam.documents import parse\nfrom . import reach\n"),
    ):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(text)
    assert violations(tmp_path / "pkg", "pkg", PACK) == {("iam/a.py", "proof"), ("iam/b.py", "proof")}
