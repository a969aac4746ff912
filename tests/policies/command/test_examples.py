"""The request that each finding names, asked again: `explain` says that it is allowed, by what is reported."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from policies.identity_scope.command.explain import ANONYMOUS, Explanation, asked, explain
from policies.identity_scope.command.load import Loaded
from policies.identity_scope.findings.finding import Finding, Kind
from policies.identity_scope.iam.conditions import Truth
from policies.identity_scope.inventory.inventory import Inventory
from policies.identity_scope.pack.configuration import read
from policies.identity_scope.pack.rules import RULES
from policies.identity_scope.pack.settings import RuleSettings, Settings
from policies.identity_scope.sources.pulumi import facts
from tests.policies.command.run import run, write
from tests.policies.findings.stacks import PARTITIONS, Partition, Stack
from tests.policies.findings.test_fixes import found
from tests.policies.pack.engine import ME, allow, document

SHOWN = {
    *(Kind.NO_IDENTITY, Kind.STAR_BEFORE_IDENTITY, Kind.WIDE_PATTERN, Kind.MISSPELT_VARIABLE, Kind.OTHER_VARIABLE),
    *(Kind.NO_VERSION, Kind.NOT_RESOURCE, Kind.TWO_RESOURCES, Kind.TWO_STATEMENTS, Kind.BUCKET_POLICY, Kind.LISTING),
    *(Kind.CHANGEABLE_CLAIM, Kind.SHARED_CLAIM, Kind.SEVERAL_PROVIDERS, Kind.FREE_TEXT_CLAIM),
    *(Kind.OUTSIDE_FOLDER, Kind.TWO_FOLDERS, Kind.ESCALATION, Kind.API),
}
"""The kinds that a request shows."""


def explained(stack: Stack, finding: Finding) -> list[Explanation]:
    inventory = Inventory.of(facts(each) for each in stack.resources)
    rules = {
        rule.name: RuleSettings(rule.level, read(rule.settings, stack.config.get(rule.name, {}), [])) for rule in RULES
    }
    assert finding.example is not None
    request = asked(finding.example.request, [f"{key}={value}" for key, value in finding.example.tags])
    return explain(Loaded("stack", inventory, {}), Settings(rules), request, finding.example.identity or ANONYMOUS)


@pytest.mark.parametrize("partition", PARTITIONS, ids=lambda each: each.region)
def test_the_example_of_a_finding_is_allowed(partition: Partition) -> None:
    tried = set()
    for name, stack, rule, finding, _ in found(partition):
        example = finding.example
        assert (example is not None) is (finding.kind in SHOWN), (name, finding.text)
        if example is None or not example.exists:
            continue
        enough = Truth.YES if example.exact else Truth.MAYBE
        decisions = explained(stack, finding)
        allowed = [each for each in decisions if each.decision >= enough]
        assert allowed, (name, rule, finding.text, example, decisions)
        tried.add(finding.kind)
        if rule == "s3-isolated-by-identity":
            assert example.whose, (name, finding.text)
            assert example.whose != example.identity, (name, finding.text)
    assert tried == SHOWN


NAMES = ("policy.json", 'it\'s $(id) `id` & "x" !.json', "-x.json")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("each", [False, True])
def test_the_command_that_is_suggested_runs(
    name: str, each: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    leak = allow(f"arn:aws:s3:::$(id)'`id`/*/{ME}/*")
    write(tmp_path / name, document([leak, allow("arn:aws:s3:::notes", "s3:ListBucket")]))
    given = ["--region", "eu-west-1", *(["--each"] if each else [])]
    text = run(capsys, "check", *given, "--", name).out
    commands = [line.removeprefix("  Try it: ") for line in text.splitlines() if line.startswith("  Try it: ")]
    assert len(commands) == 2
    for command in commands:
        program, *words = shlex.split(command)
        assert program == "identity-scope"
        assert words[2:4] == ["--region", "eu-west-1"]
        decisions = json.loads(run(capsys, *words, "--format", "json").out)["decisions"]
        assert [each["allowed"] for each in decisions] == ["yes"]


@pytest.mark.parametrize("key", ["a\x1b[2J", "a\nb", "\u202e"])
def test_what_cannot_be_pasted_is_not_suggested(key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "policy.json", document([allow(f"arn:aws:s3:::notes/{key}*")]))
    found = run(capsys, "check", path)
    assert found.code == 1
    assert "Try it" not in found.out


def test_a_request_without_credentials(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    opened = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::notes/open/*"}
    write(tmp_path / "own.json", document([allow(f"arn:aws:s3:::notes/{ME}/*")]))
    write(tmp_path / "bucket.json", document([opened]))

    def decision(request: str) -> list[tuple[str | None, str]]:
        arguments = ("--identity", "none", "--format", "json", "--request", request)
        decisions = json.loads(run(capsys, "explain", tmp_path, *arguments).out)["decisions"]
        return [(each["identity"], each["allowed"]) for each in decisions]

    assert decision("s3:GetObject notes/open/x") == [(None, "yes")]
    assert decision("s3:GetObject notes/{identity}/x") == [(None, "no")]


def test_a_wrong_identity_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "policy.json", document([allow("arn:aws:s3:::notes/*")]))
    found = run(capsys, "explain", path, "--identity", "me", "--request", "s3:GetObject notes/x")
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith("--identity: `me` must be an identity ID")
    assert len(found.err.splitlines()) == 1
