"""Every case of `tests/policies/cases`, through the real gRPC protocol, in both halves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.engine.policy_pack import Analyzer, Diagnostic
from tests.conftest import ROOT
from tests.policies.pack.engine import SHORT, ask, ask_stack, built, cases, told

CASES = list(cases())


@pytest.fixture(scope="module")
def pack() -> Iterator[Analyzer]:
    with Analyzer(ROOT / "policies") as running:
        yield running


def check(found: list[Diagnostic], expected: dict[str, str]) -> None:
    """The rules that speak are the expected ones, each with its words."""
    said = told(found)
    assert {rule for rule, _ in said} == {SHORT[short] for short in expected}, said
    for short, fragment in expected.items():
        texts = [text for rule, text in said if rule == SHORT[short]]
        assert any(fragment in text for text in texts), texts


@pytest.mark.parametrize(("kind", "case"), CASES, ids=[f"{kind}: {case['why']}" for kind, case in CASES])
def test_case(pack: Analyzer, kind: str, case: dict[str, Any]) -> None:
    resources = built(kind, case)
    found = ask(pack, resources, case.get("config"))
    check(found, case["expect"])
    assert len(set(told(found))) == len(found), "a finding is reported once"


STACKED = [(kind, case) for kind, case in CASES if kind != "pools"]


@pytest.mark.parametrize(("kind", "case"), STACKED, ids=[f"{kind}: {case['why']}" for kind, case in STACKED])
def test_the_stack_half_alone_says_the_same(pack: Analyzer, kind: str, case: dict[str, Any]) -> None:
    check(ask_stack(pack, built(kind, case), case.get("config")), case["expect"])


def test_there_are_cases_enough_and_each_says_why() -> None:
    assert len(CASES) >= 150
    assert all(case["why"] for _, case in CASES)
    assert len({(kind, case["why"]) for kind, case in CASES}) == len(CASES)
