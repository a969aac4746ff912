"""The migration map names only settings that there are."""

from __future__ import annotations

import re

import pytest

from components.scoped_identity import args
from tests.conftest import ROOT

ROWS = [
    line.split("|")
    for line in (ROOT / "docs" / "migration.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.endswith("| here |")
]
ELSEWHERE = {"cognito-identity", "aws", "iam", "private", "false", "token", "keep", "make", "amplify"}
"""Words in the right-hand column that are not settings: values, and the name of an output."""


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def settings() -> set[str]:
    kinds = [each for each in vars(args).values() if hasattr(each, "__required_keys__")]
    return {_camel(name) for kind in kinds for name in kind.__annotations__}


@pytest.mark.parametrize("cells", ROWS, ids=[row[1].strip() for row in ROWS])
def test_a_row_names_settings_that_there_are(cells: list[str]) -> None:
    named = [re.split(r"[:\s]", each)[0] for each in re.findall(r"`([^`]+)`", cells[2])]
    assert [name for name in named if name not in settings() | ELSEWHERE] == []
    assert named or cells[2].strip().startswith("none")


def test_every_top_level_setting_is_something_to_come_to() -> None:
    text = (ROOT / "docs" / "migration.md").read_text(encoding="utf-8")
    own = {"api", "region", "profile"}
    missing = {_camel(n) for n in args.ScopedIdentityPoolArgs.__annotations__} - own
    assert {name for name in missing if f"`{name}" not in text} == set()
