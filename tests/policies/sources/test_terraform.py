"""Terraform's states and plans, in the shapes that it documents: modules, instances, and what a plan does not know."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.policies.command.run import Run, check, run, write
from tests.policies.pack.engine import ISSUER, ME, POOL, allow, document, trust_of
from tests.policies.sources.mistakes import RIGHT, SETUPS, Setup

ARN = "arn:aws:iam::123456789012"
LEAK = document([allow("arn:aws:s3:::notes/*")])
Resources = dict[str, dict[str, Any]]
"""By address, the values of each resource."""


def resources(setup: Setup) -> Resources:
    """A setup as Terraform's resources."""
    return {
        "aws_cognito_identity_pool.notes": {
            "id": POOL,
            "identity_pool_name": "notes",
            "allow_unauthenticated_identities": setup.guests,
            "allow_classic_flow": setup.classic,
            "cognito_identity_providers": [
                {"client_id": "c", "provider_name": "cognito-idp", "server_side_token_check": True}
            ],
        },
        "aws_iam_role.users": {
            "id": "users",
            "name": "users",
            "arn": f"{ARN}:role/users",
            "assume_role_policy": json.dumps(setup.trust),
            "inline_policy": [],
            "managed_policy_arns": [],
            "permissions_boundary": "",
        },
        "aws_iam_role_policy.files": {
            "id": "users:files",
            "name": "files",
            "role": "users",
            "policy": json.dumps(setup.policy),
        },
        "aws_cognito_identity_pool_roles_attachment.notes": {
            "id": POOL,
            "identity_pool_id": POOL,
            "roles": {setup.login: f"{ARN}:role/users"},
            "role_mapping": [],
        },
    }


def listed(values: Resources) -> list[dict[str, Any]]:
    return [
        {
            "address": address,
            "mode": "managed",
            "type": re.sub(r"\[[^]]*\]", "", address).split(".")[-2],
            "name": re.sub(r"\[[^]]*\]", "", address).split(".")[-1],
            "provider_name": "registry.terraform.io/hashicorp/aws",
            "values": own,
        }
        for address, own in values.items()
    ]


def state(values: Resources, **children: Resources) -> dict[str, Any]:
    modules = [{"address": f"module.{name}", "resources": listed(own)} for name, own in children.items()]
    root = {"resources": listed(values), "child_modules": modules}
    return {"format_version": "1.0", "terraform_version": "1.9.0", "values": {"root_module": root}}


def state_file(values: Resources) -> dict[str, Any]:
    """What Terraform stores."""
    return {
        "version": 4,
        "terraform_version": "1.9.0",
        "resources": [
            {
                "mode": "managed",
                "type": address.split(".")[0],
                "name": address.split(".")[1],
                "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
                "instances": [{"schema_version": 0, "attributes": own}],
            }
            for address, own in values.items()
        ],
    }


def plan(
    values: Resources, unknown: Mapping[str, Any] | None = None, refers: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A plan that creates everything: values that are not known are left out, and named by `after_unknown`."""
    unknown = unknown or {}
    known = {a: {k: v for k, v in own.items() if unknown.get(a, {}).get(k) is not True} for a, own in values.items()}
    changes = [
        {
            **each,
            "change": {
                "actions": ["create"],
                "before": None,
                "after": each["values"],
                "after_unknown": unknown.get(each["address"], {}),
            },
        }
        for each in listed(known)
    ]
    configured = [
        {
            "address": each["address"],
            "mode": "managed",
            "type": each["type"],
            "name": each["name"],
            "provider_config_key": "aws",
            "expressions": (refers or {}).get(each["address"], {key: {"constant_value": 1} for key in each["values"]}),
        }
        for each in listed(values)
    ]
    return {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": {"root_module": {"resources": listed(known)}},
        "resource_changes": changes,
        "configuration": {"root_module": {"resources": configured}},
    }


FORMS: dict[str, Callable[[Resources], dict[str, Any]]] = {"state": state, "plan": plan, "state file": state_file}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", SETUPS)
def test_the_commonest_mistakes(name: str, form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    setup = SETUPS[name]
    path = write(tmp_path / "terraform.json", FORMS[form](resources(setup)))
    found = check(capsys, path)
    assert found.code == bool(setup.rules), found.out + found.err
    assert setup.rules <= set(found.rules), found.out
    lines = path.read_text().splitlines()
    for finding in found.findings:
        if finding["rule"] == "s3-isolated-by-identity":
            assert '"policy":' in lines[finding["place"]["line"] - 1]
            assert "aws_iam_role_policy.files" in finding["text"]


def of(capsys: pytest.CaptureFixture[str], folder: Path, value: Any) -> Run:
    return check(capsys, write(folder / "terraform.json", value))


def test_kinds_of_policies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leak = json.dumps(LEAK)
    managed = {"name": "m", "arn": f"{ARN}:policy/m", "policy": leak}
    forms: list[Resources] = [
        {"aws_iam_role.users": {"inline_policy": [{"name": "p", "policy": leak}]}},
        {"aws_iam_role.users": {"managed_policy_arns": [f"{ARN}:policy/m"]}, "aws_iam_policy.m": managed},
        {
            "aws_iam_policy.m": managed,
            "aws_iam_role_policy_attachment.m": {"role": "users", "policy_arn": f"{ARN}:policy/m"},
        },
        {
            "aws_iam_policy.m": managed,
            "aws_iam_policy_attachment.m": {"roles": ["users"], "policy_arn": f"{ARN}:policy/m", "name": "a"},
        },
        {"awscc_iam_role_policy.p": {"role_name": "users", "policy_name": "p", "policy_document": leak}},
    ]
    for more in forms:
        values = resources(Setup(RIGHT))
        for address, own in more.items():
            values[address] = {**values.get(address, {}), **own}
        assert "s3-isolated-by-identity" in of(capsys, tmp_path, state(values)).rules, more


def test_roles_of_rules_and_groups(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = {
        "aws_iam_role.other": {
            "name": "other",
            "arn": f"{ARN}:role/other",
            "assume_role_policy": json.dumps(trust_of({"Service": "lambda.amazonaws.com"})),
            "inline_policy": [{"name": "p", "policy": json.dumps(LEAK)}],
        }
    }
    rule = {"claim": "c", "match_type": "Equals", "value": "v", "role_arn": f"{ARN}:role/other"}
    vending: list[Resources] = [
        {"aws_cognito_user_group.g": {"name": "g", "role_arn": f"{ARN}:role/other"}},
        {
            "aws_cognito_identity_pool_roles_attachment.more": {
                "identity_pool_id": POOL,
                "roles": {"authenticated": f"{ARN}:role/users"},
                "role_mapping": [{"identity_provider": "i", "type": "Rules", "mapping_rule": [rule]}],
            }
        },
    ]
    assert of(capsys, tmp_path, state({**resources(Setup(RIGHT)), **other})).code == 0
    for more in vending:
        found = of(capsys, tmp_path, state({**resources(Setup(RIGHT)), **other, **more}))
        assert "s3-isolated-by-identity" in found.rules


def test_a_bucket_policy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    guard = document([{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::notes/*"}])
    values = {**resources(Setup(LEAK)), "aws_s3_bucket_policy.b": {"bucket": "notes", "policy": json.dumps(guard)}}
    assert of(capsys, tmp_path, state(values)).code == 0


def test_modules_and_instances(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = {f"module.auth.{address}": own for address, own in resources(Setup(LEAK)).items()}
    found = of(capsys, tmp_path, state({}, auth=values))
    assert "module.auth.aws_iam_role_policy.files" in found.findings[0]["text"]
    values = resources(Setup(RIGHT))
    values['aws_iam_role_policy.files["a"]'] = {"name": "a", "role": "users", "policy": json.dumps(LEAK)}
    found = of(capsys, tmp_path, state(values))
    assert 'aws_iam_role_policy.files["a"]' in found.findings[0]["text"]
    stored = state_file(resources(Setup(RIGHT)))
    for each in stored["resources"]:
        if each["name"] == "files":
            each |= {"module": "module.auth"}
            each["instances"] = [
                {"index_key": key, "attributes": {**each["instances"][0]["attributes"], "policy": json.dumps(LEAK)}}
                for key in (0, "b")
            ]
    found = of(capsys, tmp_path, stored)
    assert 'module.auth.aws_iam_role_policy.files["b"]' in {finding["document"] for finding in found.findings}


ROLE, FILES, ATTACH, POOL_ADDRESS = (
    "aws_iam_role.users",
    "aws_iam_role_policy.files",
    "aws_cognito_identity_pool_roles_attachment.notes",
    "aws_cognito_identity_pool.notes",
)
FIRST = {
    ROLE: {"id": True, "arn": True, "assume_role_policy": True, "inline_policy": True, "managed_policy_arns": True},
    FILES: {"id": True, "role": True},
    ATTACH: {"id": True, "identity_pool_id": True, "roles": {"authenticated": True}},
    POOL_ADDRESS: {"id": True},
}
"""What a first plan does not know."""
REFERS: dict[str, Any] = {
    ROLE: {"assume_role_policy": {}, "name": {"constant_value": "users"}},
    FILES: {"role": {"references": ["aws_iam_role.users.id", "aws_iam_role.users"]}, "policy": {}, "name": {}},
    ATTACH: {
        "identity_pool_id": {"references": ["aws_cognito_identity_pool.notes.id", "aws_cognito_identity_pool.notes"]},
        "roles": {"references": ["aws_iam_role.users.arn", "aws_iam_role.users"]},
    },
}


def test_a_first_plan_is_resolved_by_what_its_configuration_refers_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = of(capsys, tmp_path, plan(resources(Setup(RIGHT)), FIRST, REFERS))
    assert found.code == 0, found.out
    assert "s3-isolated-by-identity" in of(capsys, tmp_path, plan(resources(Setup(LEAK)), FIRST, REFERS)).rules


def test_what_a_plan_does_not_know_is_decided_later(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unknown = {**FIRST, FILES: {"policy": True}}
    found = of(capsys, tmp_path, plan(resources(Setup(LEAK)), unknown, REFERS))
    assert found.code == 0
    undecided = json.loads(found.out)["verdicts"][0]["undecided"]
    assert "s3-isolated-by-identity" in {each["rule"] for each in undecided}
    assert "decided at update" in run(capsys, "check", tmp_path / "terraform.json").out


def test_references_through_modules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The role is in one module, its policy in another: a variable and an output lead from one to the other."""
    values = resources(Setup(LEAK))
    roles, files = {ROLE: values.pop(ROLE)}, {FILES: values.pop(FILES)}
    built = plan(values, FIRST, REFERS)
    others = [
        plan({f"module.{name}.{a}": v for a, v in own.items()}, {f"module.{name}.{a}": FIRST[a] for a in own})
        for name, own in (("roles", roles), ("files", files))
    ]
    built["planned_values"]["root_module"]["child_modules"] = [
        {"address": f"module.{name}", **other["planned_values"]["root_module"]}
        for name, other in zip(("roles", "files"), others, strict=True)
    ]
    built["resource_changes"] += [change for other in others for change in other["resource_changes"]]
    root = built["configuration"]["root_module"]
    root["module_calls"] = {
        "roles": {
            "expressions": {},
            "module": {
                "outputs": {"name": {"expression": {"references": ["aws_iam_role.users.id", "aws_iam_role.users"]}}},
                "resources": [{"address": ROLE, "mode": "managed", "expressions": REFERS[ROLE]}],
            },
        },
        "files": {
            "expressions": {"role": {"references": ["module.roles.name", "module.roles"]}},
            "module": {
                "resources": [
                    {
                        "address": FILES,
                        "mode": "managed",
                        "expressions": {**REFERS[FILES], "role": {"references": ["var.role"]}},
                    }
                ]
            },
        },
    }
    for resource in root["resources"]:
        if resource["address"] == ATTACH:
            resource["expressions"]["roles"] = {"references": ["module.roles.name", "module.roles"]}
    found = of(capsys, tmp_path, built)
    assert "s3-isolated-by-identity" in found.rules, found.out
    assert json.loads(found.out)["verdicts"][0]["roles"] == ["module.roles.aws_iam_role.users"]


def test_data_sources_are_no_resources(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    built = state(resources(Setup(RIGHT)))
    data = {
        "address": "data.aws_iam_role.x",
        "mode": "data",
        "type": "aws_iam_role",
        "name": "x",
        "values": {"name": "x"},
    }
    built["values"]["root_module"]["resources"].append(data)
    assert of(capsys, tmp_path, built).code == 0


WRONG: list[tuple[Any, str]] = [
    ({"terraform_version": "1.9.0"}, "must be the output of `terraform show -json`, or a state file"),
    (state({}) | {"values": {"root_module": []}}, "must be a module"),
    (state({}) | {"values": {"root_module": {"resources": {}}}}, "`resources` must be a list of objects"),
    (
        state({}) | {"values": {"root_module": {"resources": [{"mode": "managed"}]}}},
        "must be a resource with `address` and `type`",
    ),
    ({"terraform_version": "1", "resources": ["x"]}, "`resources` must be a list of objects"),
    (plan({}) | {"resource_changes": {}}, ""),
]


@pytest.mark.parametrize(("value", "problem"), WRONG)
def test_wrong_shapes(value: Any, problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = of(capsys, tmp_path, value)
    assert (found.code, problem in found.err) == (2, True), found.out + found.err
    assert len(found.err.splitlines()) == 1


def test_odd_shapes_are_no_crash(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    built = plan(resources(Setup(RIGHT)), FIRST, REFERS)
    changes: list[dict[str, Any]] = [
        {"configuration": []},
        {"configuration": {"root_module": {"resources": [7, {"address": ROLE, "expressions": []}]}}},
        {"resource_changes": []},
        {"configuration": {"root_module": {"module_calls": []}}},
    ]
    for change in changes:
        assert of(capsys, tmp_path, {**built, **change}).code in (0, 1)
    assert of(capsys, tmp_path, {"format_version": "1.0", "terraform_version": "1.9.0"}).code == 0
    deep: dict[str, Any] = {}
    for _ in range(30):
        deep = {"child_modules": [deep]}
    assert of(capsys, tmp_path, {"terraform_version": "1", "values": {"root_module": deep}}).code == 0


def test_names_with_dots_and_brackets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = resources(Setup(RIGHT))
    values['module.a["x.y"].aws_iam_role_policy.files["a\\"b"]'] = {
        "role": "users",
        "name": "q",
        "policy": json.dumps(LEAK),
    }
    assert "s3-isolated-by-identity" in of(capsys, tmp_path, state(values)).rules
    assert ISSUER in ME


def test_references_that_multiply_are_followed_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    built = plan(resources(Setup(RIGHT)), FIRST, REFERS)
    module: dict[str, Any] = {"outputs": {"o": {"expression": {"references": ["aws_iam_role.x"]}}}}
    for _ in range(25):
        both = {"references": ["module.m.o", "module.m.o", "module.m.p"]}
        outputs = {"o": {"expression": both}, "p": {"expression": both}}
        module = {"module_calls": {"m": {"module": module}}, "outputs": outputs}
    root = built["configuration"]["root_module"]
    root["module_calls"] = {"m": {"module": module}}
    for resource in root["resources"]:
        resource["expressions"]["extra"] = {"references": ["module.m.o"]}
    assert of(capsys, tmp_path, built).code == 0


# --- what a plan does not show of its configuration, and what a state keeps of older objects

GUARD = document([{"Effect": "Deny", "Action": "s3:*", "NotResource": f"arn:aws:s3:::notes/{ME}/*"}])
DYNAMIC = [{"name": "dynamic", "policy": json.dumps(LEAK)}]


def unset(values: Resources, *properties: str) -> Resources:
    """The expressions of resources, of which the role's do not set some properties."""
    return {
        address: {k: {"constant_value": 1} for k in own if address != "aws_iam_role.users" or k not in properties}
        for address, own in values.items()
    }


@pytest.mark.parametrize("written_by", ["a dynamic block", "a resource", "a resource that the plan deletes"])
def test_inline_policies_that_the_configuration_of_a_plan_does_not_show(
    written_by: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = resources(Setup(RIGHT))
    values["aws_iam_role.users"]["inline_policy"] = DYNAMIC
    planned = plan(values, refers=unset(values, "inline_policy", "managed_policy_arns"))
    older = {"role": "Users", "name": "dynamic", "policy": json.dumps(LEAK)}
    change = {"actions": ["delete"], "before": older, "after": None, "after_unknown": {}}
    deleted = {"address": "aws_iam_role_policy.dynamic", "type": "aws_iam_role_policy", "change": change}
    if written_by == "a resource that the plan deletes":
        planned["resource_changes"].append(deleted)
    elif written_by == "a resource":
        values["aws_iam_role_policy.files"]["name"] = "dynamic"
        planned = plan(values, refers=unset(values, "inline_policy", "managed_policy_arns"))
    found = check(capsys, write(tmp_path / "plan.json", planned))
    assert ("s3-isolated-by-identity" in found.rules) is (written_by == "a dynamic block"), found.out


def test_the_deletion_of_an_older_object_does_not_hide_what_is_not_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planned = plan(resources(Setup(RIGHT)), {"aws_iam_role.users": {"managed_policy_arns": True}})
    role = next(each for each in planned["resource_changes"] if each["address"] == "aws_iam_role.users")
    change: dict[str, Any] = {"actions": ["delete"], "before": {}, "after": None, "after_unknown": {}}
    planned["resource_changes"].append({**role, "deposed": "0123abcd", "change": change})
    (verdict,) = json.loads(check(capsys, write(tmp_path / "plan.json", planned)).out)["verdicts"]
    assert {each["rule"] for each in verdict["undecided"]} == {"s3-isolated-by-identity", "vended-role-cannot-escalate"}


@pytest.mark.parametrize("replaced", [False, True])
@pytest.mark.parametrize("form", ["state", "state file"])
def test_an_older_object_is_there_until_it_is_deleted(
    form: str, replaced: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = resources(Setup(RIGHT))
    older = {**own["aws_iam_role_policy.files"], "policy": json.dumps(LEAK)}
    if not replaced:
        older |= {"id": "users:older", "name": "older"}
    kept = FORMS[form](own)
    if form == "state":
        listed_ = kept["values"]["root_module"]["resources"]
        listed_.append({**listed_[2], "values": older, "deposed_key": "0123abcd"})
    else:
        kept["resources"][2]["instances"].append({"schema_version": 0, "attributes": older, "deposed": "0123abcd"})
    found = check(capsys, write(tmp_path / "state.json", kept))
    assert found.code == (0 if replaced else 1), found.out + found.err
    if not replaced:
        assert "`aws_iam_role_policy.files (deposed 0123abcd)` statement 1" in found.findings[0]["text"]


def test_what_an_older_object_denies_guards_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = resources(Setup(LEAK))
    guard = document([{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}])
    older = {**own["aws_iam_role_policy.files"], "policy": json.dumps(guard), "id": "users:older", "name": "older"}
    kept = FORMS["state"](own)
    listed_ = kept["values"]["root_module"]["resources"]
    listed_.append({**listed_[2], "values": older, "address": "aws_iam_role_policy.guard"})
    assert check(capsys, write(tmp_path / "state.json", kept)).code == 0
    listed_[-1]["deposed_key"] = "0123abcd"
    assert check(capsys, write(tmp_path / "state.json", kept)).code == 1


ASSUMED = {"assume_role": [{"role_arn": {"constant_value": "arn:aws:iam::999999999999:role/deploy"}}]}
PROVIDERS: dict[str, tuple[dict[str, Any], bool]] = {
    "the same provider": ({}, True),
    "another region": ({"region": {"constant_value": "eu-west-1"}}, True),
    "a role of another account": (ASSUMED, False),
    "a role that is a variable": ({"assume_role": [{"role_arn": {"references": ["var.role"]}}]}, False),
    "another profile": ({"profile": {"constant_value": "other"}}, False),
}


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_policy_of_another_account_guards_nothing_here(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expressions, guards = PROVIDERS[name]
    values = resources(Setup(LEAK))
    values["aws_iam_role_policy.guard"] = {"name": "guard", "role": "users", "policy": json.dumps(GUARD)}
    planned = plan(values)
    planned["configuration"]["root_module"]["resources"][-1]["provider_config_key"] = "aws.other"
    planned["configuration"]["provider_config"] = {"aws.other": {"name": "aws", "expressions": expressions}}
    found = check(capsys, write(tmp_path / "plan.json", planned))
    assert ("s3-isolated-by-identity" not in found.rules) is guards, found.out


@pytest.mark.parametrize("depends", [[], ["aws_iam_role.users"]], ids=str)
def test_a_state_that_does_not_tell_its_providers_apart(
    depends: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = resources(Setup(LEAK))
    values["aws_iam_role_policy.guard"] = {"name": "guard", "role": "users", "policy": json.dumps(GUARD)}
    far = {"name": "far", "arn": "arn:aws:iam::999999999999:role/far", "assume_role_policy": "{}"}
    values["aws_iam_role.far"] = far
    kept = state(values)
    kept["values"]["root_module"]["resources"][-2]["depends_on"] = depends
    found = check(capsys, write(tmp_path / "state.json", kept))
    assert ("s3-isolated-by-identity" not in found.rules) is bool(depends), found.out
