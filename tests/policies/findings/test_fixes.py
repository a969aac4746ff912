"""Every suggested fix, applied: its finding is gone, no other has come, and what the author meant is kept.

Each case of the pack is a stack with something to find. Its findings' fixes are applied as a machine applies them, in each
partition, and the rules are asked again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from policies.identity_scope.findings.finding import Finding, Kind
from policies.identity_scope.findings.fix import Edit, listed
from policies.identity_scope.iam.documents import Effect, Statement
from policies.identity_scope.iam.evaluator import action_matches
from tests.policies.findings.shapes import SHAPES
from tests.policies.findings.stacks import COMMERCIAL, PARTITIONS, Partition, Stack, applied, declared, filled, of_case
from tests.policies.findings.stacks_of_kinds import STACKS
from tests.policies.pack.engine import cases

CASES = [
    *((f"{kind}: {case['why']}", case) for kind, case in cases()),
    *((f"of this test: {why}", {"given": given}) for why, given in STACKS.items()),
    *((f"shape: {name}", {"given": {"statements": statements}}) for name, statements in SHAPES.items()),
]
ADVICE = {Kind.MALFORMED, Kind.SECRET, Kind.NO_DOCUMENT, Kind.UNDECIDED}
"""What only its author can put right: the finding says how."""
NOT_PROVEN = {Kind.UNKNOWN_ISSUER, Kind.MANAGED_POLICY, Kind.ROLE_ELSEWHERE}
"""What nothing is decided about: when it is, there may be something to find."""


def key(rule: str, finding: Finding) -> tuple[Any, ...]:
    """What tells findings apart; a role is outside its own folder once."""
    outside = rule == "s3-own-folder" and finding.key[0] == "violated"
    return (rule, "outside", finding.key[1]) if outside else (rule, *finding.key)


def stacks(partition: Partition) -> Iterator[tuple[str, Stack]]:
    for name, case in CASES:
        text = json.dumps(case["given"])
        if partition is COMMERCIAL or not re.search(r"us-gov|cn-|aws-iso", text):
            yield name, of_case(case, partition)


@cache
def found(partition: Partition) -> list[tuple[str, Stack, str, Finding, frozenset[Any]]]:
    """Every finding of every stack, with the keys of all that is found there."""
    every = []
    for name, stack in stacks(partition):
        findings = stack.findings()
        keys = frozenset(key(rule, finding) for rule, finding in findings)
        every += [(name, stack, rule, finding, keys) for rule, finding in findings]
    return every


def placed(name: str, stack: Stack, partition: Partition) -> bool:
    """Whether a stack says in which region its pool is, and only that."""
    text = json.dumps([dict(each.props) for each in stack.resources])
    return f"{partition.region}:" in text and not re.search("GovCloud|China|(region|partition) is (not )?known", name)


def after(stack: Stack) -> set[Any]:
    return {key(rule, finding) for rule, finding in stack.findings()}


@pytest.mark.parametrize("partition", PARTITIONS, ids=lambda each: each.region)
def test_a_fix_removes_its_finding_and_brings_no_other(partition: Partition) -> None:
    for name, stack, rule, finding, before in found(partition):
        fix = filled(finding.fix, partition)
        assert finding.kind is not None
        if finding.kind in ADVICE:
            assert fix.advice, (name, finding)
            continue
        assert fix.edits or fix.settings or fix.declare, (name, finding)
        now = after(applied(stack, fix))
        assert key(rule, finding) not in now, (name, finding.text)
        assert now <= before or finding.kind in NOT_PROVEN, (name, finding.text, now - before)


@pytest.mark.parametrize("partition", PARTITIONS, ids=lambda each: each.region)
def test_so_does_the_configuration_that_declares_it(partition: Partition) -> None:
    for name, stack, rule, finding, before in found(partition):
        if finding.fix.instead is not None:
            now = after(declared(stack, finding.fix.instead))
            assert key(rule, finding) not in now, (name, finding.text)
            assert now <= before, (name, finding.text)


def test_every_kind_of_finding_is_tried() -> None:
    tried = {finding.kind for _, _, _, finding, _ in found(COMMERCIAL)}
    assert tried == set(Kind) - {Kind.VALUE_NOT_KNOWN}  # which only templates have


@pytest.mark.parametrize("partition", PARTITIONS, ids=lambda each: each.region)
def test_a_fix_is_of_the_pools_own_partition(partition: Partition) -> None:
    others = {each.issuer for each in PARTITIONS} - {partition.issuer}
    for name, stack, _, finding, _ in found(partition):
        if not placed(name, stack, partition):
            continue
        made = json.dumps([[edit.new for edit in finding.fix.edits], finding.fix.as_json()["configuration"]])
        given = json.dumps([dict(each.props) for each in stack.resources]) + json.dumps(stack.config)
        for issuer in others:
            assert f"{issuer}:" not in made or issuer in given, (name, finding.text)
        for arn in re.findall(r"arn:([a-z-]+):", made):
            assert arn == partition.name or f"arn:{arn}:" in given, (name, finding.text)


@pytest.mark.parametrize("partition", PARTITIONS, ids=lambda each: each.region)
def test_a_fix_keeps_the_folders_name_and_the_users_own_folder(partition: Partition) -> None:
    for name, stack, _, finding, _ in found(partition):
        for edit in finding.fix.edits if placed(name, stack, partition) else ():
            if edit.element == ("Resource",) and edit.old is not None and edit.new is not None:
                kept(name, finding, edit, partition)


def kept(name: str, finding: Finding, edit: Edit, partition: Partition) -> None:
    """The folders that stand literally in what is replaced stand in what replaces it, with the identity ID or a tag."""
    new = [value for value in listed(edit.new) if value not in listed(edit.old)]
    for resource in new:
        place = resource.split(":", 5)
        assert place[0] == "arn", (name, resource)
        assert len(place) == 6, (name, resource)
        assert not re.search(r"[{}]", re.sub(r"\$\{[^{}]*\}", "", resource)), (name, resource)
        if place[2] == "s3" and "/" in place[5] and finding.kind is not Kind.BUCKET_POLICY:
            tags = re.findall(r"\$\{aws:PrincipalTag/[^}]*\}", resource)
            own = next((each for each in (partition.own, *tags) if each in resource), None)
            assert own is not None, (name, finding.text)
            before = re.sub(r"\$\{[*?$]\}", "", resource[: resource.index(own)])
            assert not re.search(r"[*?]", before), (name, finding.text)
    for resource in listed(edit.old):
        if resource in listed(edit.new) or not new:
            continue
        for folder in re.findall(
            r"(?<=/)[A-Za-z][A-Za-z-]*(?=/)", resource.split(":", 5)[-1].partition("/object")[2] or resource
        ):
            if "$" not in folder and not folder.startswith(partition.region) and "accesspoint/" not in resource:
                assert any(folder in each for each in new), (name, finding.text)


def test_a_fix_is_data_that_its_words_are_made_of() -> None:
    for name, _, _, finding, _ in found(COMMERCIAL):
        text = finding.text.partition("\n  Fix: ")[2]
        assert text, (name, finding.text)
        assert json.loads(json.dumps(finding.fix.as_json())) == finding.fix.as_json()
        for edit in finding.fix.edits[:1]:
            for value in [value for value in listed(edit.new) if value not in listed(edit.old)][:1]:
                shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
                assert shown in text or json.dumps(shown)[1:-1] in text, (name, finding.text)


def test_the_first_line_of_a_finding_can_be_acted_on() -> None:
    for name, _, _, finding, _ in found(COMMERCIAL):
        first = finding.text.partition("\n")[0]
        assert first.endswith("."), (name, first)
        assert len(first) < 700, (name, first)


def test_a_fix_gives_no_action_on_files_that_its_statement_does_not() -> None:
    for name, _, _, finding, _ in found(COMMERCIAL):
        for edit in finding.fix.edits:
            if edit.element == ("Action",) and edit.old is not None and edit.new is not None:
                before = Statement(0, Effect.ALLOW, tuple(listed(edit.old)), ("*",))
                for action in set(listed(edit.new)) - {"sts:TagSession"}:
                    covered = action_matches(before, action) or "*" in action
                    assert covered or action in ("s3:GetObject", "s3:ListBucket"), (name, finding.text)


@pytest.mark.parametrize("other", ["public/*", "public/team/*", "shared/report.pdf", "images/*/avatar.png", "*"])
@pytest.mark.parametrize("prefix", ["", "users/"])
def test_isolation_and_own_folder_suggest_one_fix_for_one_statement(prefix: str, other: str) -> None:
    own = f"arn:aws:s3:::uploads/{prefix}{COMMERCIAL.own}/*"
    given = {
        "statements": [
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": [own, f"arn:aws:s3:::uploads/{other}"]}
        ]
    }
    stack = of_case({"given": given}, COMMERCIAL)
    edits = {rule: finding.fix.edits for rule, finding in stack.findings()}
    assert edits["s3-isolated-by-identity"] == edits["s3-own-folder"]
    (finding,) = [finding for rule, finding in stack.findings() if rule == "s3-isolated-by-identity"]
    assert not applied(stack, finding.fix).findings()
