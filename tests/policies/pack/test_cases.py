"""Every case of `tests/policies/cases`, through the real gRPC protocol, in both halves."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.engine.policy_pack import Analyzer, Diagnostic
from tests.conftest import ROOT
from tests.policies.pack.engine import CASES as FOLDER
from tests.policies.pack.engine import ask, ask_stack, built, cases, expected, told

CASES = list(cases())


@pytest.fixture(scope="module")
def pack() -> Iterator[Analyzer]:
    with Analyzer(ROOT / "policies") as running:
        yield running


def check(found: list[Diagnostic], parts: dict[str, str]) -> None:
    """The rules that speak are the expected ones, each with its words."""
    said = told(found)
    assert {rule for rule, _ in said} == set(parts), said
    for rule, part in parts.items():
        texts = [text for said_rule, text in said if said_rule == rule]
        assert any(part in text for text in texts), texts


@pytest.mark.parametrize(("kind", "case"), CASES, ids=[f"{kind}: {case['why']}" for kind, case in CASES])
def test_case(pack: Analyzer, kind: str, case: dict[str, Any]) -> None:
    found = ask(pack, built(case), case["given"].get("config"))
    check(found, expected(case))
    assert len(set(told(found))) == len(found), "a finding is reported once"


STACKED = [(kind, case) for kind, case in CASES if kind != "pools"]


@pytest.mark.parametrize(("kind", "case"), STACKED, ids=[f"{kind}: {case['why']}" for kind, case in STACKED])
def test_the_stack_half_alone_says_the_same(pack: Analyzer, kind: str, case: dict[str, Any]) -> None:
    check(ask_stack(pack, built(case), case["given"].get("config")), expected(case))


def test_there_are_cases_enough_and_each_says_why() -> None:
    assert len(CASES) >= 150
    assert all(case["why"] for _, case in CASES)
    assert len({(kind, case["why"]) for kind, case in CASES}) == len(CASES)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.name)
def test_cases_can_be_reviewed(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert max(map(len, text.splitlines())) <= 128
    tokens = list(yaml.scan(text))
    flow = (yaml.FlowMappingStartToken, yaml.FlowSequenceStartToken)
    ends = (yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
    assert all(isinstance(after, ends) for token, after in pairwise(tokens) if isinstance(token, flow)), "block style"
