"""`identity-scope check`: plain documents, what Pulumi writes, formats, exit codes, configuration."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.policies.command.run import check, run, write, written
from tests.policies.pack.engine import ISSUER, ME, POOL, allow, document, trust, trust_of

OWN = document([allow(f"arn:aws:s3:::notes/{ME}/*")])
LEAK = document([allow(f"arn:aws:s3:::notes/{ME}/*"), allow("arn:aws:s3:::notes/*")])
URN = "urn:pulumi:dev::notes::"


def state(*resources: tuple[str, str, dict[str, Any]], **more: Any) -> dict[str, Any]:
    """What `pulumi stack export` writes of some resources: type, name and inputs of each."""
    written = [
        {"urn": f"{URN}{type_}::{name}", "type": type_, "custom": True, "inputs": inputs, "outputs": inputs, **more}
        for type_, name, inputs in resources
    ]
    return {"version": 3, "deployment": {"resources": written}}


def test_a_component_states_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    guard = {"role": "auth", "policy": json.dumps(document([{"Effect": "Deny", "Action": "*", "Resource": "*"}]))}
    leak = state(*pulumi_role(json.dumps(LEAK)))
    made = leak["deployment"]["resources"]
    made += state(("aws:iam/rolePolicy:RolePolicy", "guard", guard))["deployment"]["resources"]
    assert check(capsys, write(tmp_path / "a.json", leak)).code == 0
    made[-1]["custom"] = False
    assert check(capsys, write(tmp_path / "b.json", leak)).code == 1


def pulumi_role(policy: Any) -> tuple[tuple[str, str, dict[str, Any]], ...]:
    return (
        ("aws:iam/role:Role", "auth", {"name": "auth", "assumeRolePolicy": json.dumps(trust())}),
        ("aws:iam/rolePolicy:RolePolicy", "access", {"name": "access", "role": "auth", "policy": policy}),
    )


def test_a_document_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leak = write(tmp_path / "leak.json", LEAK)
    found = check(capsys, leak)
    assert (found.code, found.rules) == (1, ["s3-isolated-by-identity", "s3-own-folder"])
    second = [number for number, line in enumerate(leak.read_text().splitlines(), 1) if line == "    {"][1]
    assert found.findings[0]["place"] == {"file": str(leak), "line": second, "column": 5}
    assert (found.findings[0]["document"], found.findings[0]["statement"]) == ("leak.json", 2)
    assert check(capsys, write(tmp_path / "own.json", OWN)).code == 0


def test_documents_of_a_folder_are_one_role(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    open_trust = trust_of({"Federated": ISSUER}, {"StringEquals": {f"{ISSUER}:aud": POOL}})
    folder = written(tmp_path, {"own.json": OWN, "trust.json": open_trust})
    assert check(capsys, folder).rules == ["trust-bound-to-pool"]
    written(tmp_path, {"trust.json": trust(), "shared.yaml": json.dumps(document([allow("arn:aws:s3:::notes/a/*")]))})
    found = check(capsys, folder)
    assert "s3-isolated-by-identity" in found.rules
    assert "shared.yaml" in {each["document"] for each in found.findings}
    write(tmp_path / "other" / "trust.json", trust())
    assert len(json.loads(check(capsys, folder).out)["verdicts"][0]["roles"]) == 2
    write(tmp_path / "second.json", trust())
    assert "is a second trust policy" in check(capsys, folder).err


def test_a_bucket_policy_beside_a_role(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    opened = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::notes/*"}
    folder = written(tmp_path, {"own.json": OWN, "bucket.json": document([opened])})
    found = check(capsys, folder)
    assert "s3-isolated-by-identity" in found.rules
    assert found.findings[0]["place"]["file"].endswith("bucket.json")
    closed = document([{**opened, "Effect": "Deny"}])
    write(tmp_path / "leak.json", document([allow("arn:aws:s3:::notes/*")]))
    write(tmp_path / "bucket.json", {"Policy": json.dumps(closed)})
    assert check(capsys, folder).code == 0


def test_the_details_of_an_account(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arn = "arn:aws:iam::123456789012:policy/shared"
    details: dict[str, Any] = {
        "RoleDetailList": [
            {
                "RoleName": "auth",
                "Arn": "arn:aws:iam::123456789012:role/auth",
                "AssumeRolePolicyDocument": trust(),
                "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": OWN}],
                "AttachedManagedPolicies": [{"PolicyName": "shared", "PolicyArn": arn}],
            },
            {"RoleName": "other", "AssumeRolePolicyDocument": trust_of({"Service": "lambda.amazonaws.com"})},
        ],
        "Policies": [
            {
                "PolicyName": "shared",
                "Arn": arn,
                "PolicyVersionList": [
                    {"IsDefaultVersion": False, "Document": OWN},
                    {"IsDefaultVersion": True, "Document": LEAK},
                ],
            }
        ],
    }
    path = write(tmp_path / "account.json", details)
    found = check(capsys, path)
    assert found.rules == ["s3-isolated-by-identity", "s3-own-folder"]
    assert json.loads(found.out)["verdicts"][0]["roles"] == ["auth"]
    pool = {"IdentityPoolId": POOL, "IdentityPoolName": "notes", "AllowUnauthenticatedIdentities": True}
    write(tmp_path / "pool.json", pool)
    write(
        tmp_path / "roles.json",
        {"IdentityPoolId": POOL, "Roles": {"authenticated": details["RoleDetailList"][0]["Arn"]}},
    )
    assert "guests-are-declared" in check(capsys, tmp_path).rules


def test_a_role_by_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    role = {
        "RoleName": "auth",
        "AssumeRolePolicyDocument": trust(),
        "Policies": [{"PolicyName": "p", "PolicyDocument": LEAK}],
    }
    assert "s3-isolated-by-identity" in check(capsys, write(tmp_path / "role.json", role)).rules
    found = check(capsys, write(tmp_path / "role.json", {"Role": {**role, "Policies": []}}))
    assert found.code == 0


def test_a_stack_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "stack.json", state(*pulumi_role(json.dumps(LEAK))))
    found = check(capsys, path)
    assert found.rules == ["s3-isolated-by-identity", "s3-own-folder"]
    line = [n for n, text in enumerate(path.read_text().splitlines(), 1) if '"policy":' in text]
    assert found.findings[0]["place"]["line"] == line[1]  # of the outputs
    assert found.findings[0]["urn"] == f"{URN}aws:iam/rolePolicy:RolePolicy::access"
    as_state_file = {"version": 3, "checkpoint": {"latest": state(*pulumi_role(json.dumps(LEAK)))["deployment"]}}
    assert check(capsys, write(path, as_state_file)).rules == found.rules
    assert check(capsys, write(path, state(*pulumi_role(json.dumps(OWN))))).code == 0
    older = state(*pulumi_role(json.dumps(LEAK)), delete=True)
    assert check(capsys, write(path, older)).rules == found.rules


def test_secrets_of_a_stack_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mark = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
    for secret in ({**mark, "ciphertext": "djE6"}, {**mark, "plaintext": "no JSON"}, "[secret]"):
        found = check(capsys, write(tmp_path / "stack.json", state(*pulumi_role(secret))))
        assert "secret, cannot be read here" in found.out
        assert found.code == 1
    plain = {**mark, "plaintext": json.dumps(json.dumps(OWN))}
    assert check(capsys, write(tmp_path / "stack.json", state(*pulumi_role(plain)))).code == 0


def preview(policy: Any, op: str = "create", **more: Any) -> dict[str, Any]:
    steps = [
        {"op": op if type_.endswith("Policy") else "same", "urn": f"{URN}{type_}::{name}", "newState": resource}
        for (type_, name, _), resource in zip(
            pulumi_role(policy), state(*pulumi_role(policy))["deployment"]["resources"], strict=True
        )
    ]
    return {"steps": steps, "changeSummary": {"same": 1, op: 1}, **more}


def test_a_preview(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "preview.json"
    assert "s3-isolated-by-identity" in check(capsys, write(path, preview(json.dumps(LEAK)))).rules
    assert check(capsys, write(path, preview(json.dumps(LEAK), op="delete"))).code == 0
    found = check(capsys, write(path, preview("04da6b54-80e4-46f7-96ec-b56ff0331ba9")))
    assert found.code == 0
    assert "decided at update" in run(capsys, "check", path).out
    assert [each["rule"] for each in json.loads(found.out)["verdicts"][0]["undecided"]] == [
        "s3-isolated-by-identity",
        "vended-role-cannot-escalate",
    ]
    found = check(capsys, write(path, preview(json.dumps(LEAK), changeSummary={"same": 5})))
    assert found.code == 2
    assert "leaves out 4 unchanged resources" in found.err
    assert "--show-sames" in found.err


def test_each_file_for_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = written(tmp_path, {f"{name}.json": state(*pulumi_role(json.dumps(LEAK))) for name in ("dev", "prod")})
    found = check(capsys, folder)
    assert found.code == 2
    assert "use --each" in found.err
    found = check(capsys, "--each", folder)
    assert [Path(verdict["name"]).name for verdict in json.loads(found.out)["verdicts"]] == ["dev.json", "prod.json"]
    assert len(found.findings) == 4


def test_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leak = write(tmp_path / "leak.json", LEAK)
    shared = {"pattern": "notes/*", "actions": ["s3:GetObject"], "why": "all notes are public here"}
    config = write(
        tmp_path / "config.json", {"s3-isolated-by-identity": {"shared": [shared]}, "s3-own-folder": "disabled"}
    )
    assert check(capsys, "--config", config, leak).code == 0
    write(config, {"s3-own-folder": {"enforcementLevel": "mandatory"}, "all": "disabled"})
    assert [f["level"] for f in check(capsys, "--config", config, leak).findings] == ["mandatory"] * 1
    write(
        config, {"s3-own-foldr": {}, "s3-own-folder": {"folder": 1}, "api-invoke-scoped": 7, "classic-flow-off": ["x"]}
    )
    found = check(capsys, "--config", config, leak)
    assert found.code == 2
    lines = found.err.splitlines()
    assert lines[0] == f"{config}: configuration errors:"
    assert [line.split()[0] for line in lines[1:]] == [
        "`s3-own-foldr`",
        "s3-own-folder.folder:",
        "classic-flow-off.enforcementLevel:",
        "api-invoke-scoped.enforcementLevel:",
    ]


def test_an_exempt_finding_is_said_and_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "stack.json", state(*pulumi_role(json.dumps(LEAK))))
    exemption = {"urn": "urn:pulumi:*::access", "reason": "is being moved to folders", "expires": "2999-01-01"}
    rules = ("s3-isolated-by-identity", "s3-own-folder")
    config = write(tmp_path / "config.json", {rule: {"exemptions": [exemption]} for rule in rules})
    found = check(capsys, "--config", config, path)
    assert found.code == 0
    assert {each["rule"] for each in json.loads(found.out)["verdicts"][0]["exempt"]} == set(rules)
    assert "exempt until 2999-01-01 (is being moved to folders)" in run(capsys, "check", "--config", config, path).out


def test_nothing_to_judge(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = write(tmp_path / "package.json", {"name": "x"})
    found = run(capsys, "check", other)
    assert found.code == 2
    assert found.err.startswith(f"{other}: is not supported; expected ")
    assert run(capsys, "check", tmp_path).code == 2
    write(tmp_path / "own.json", OWN)
    assert run(capsys, "check", tmp_path).code == 0
    role = {"RoleName": "r", "AssumeRolePolicyDocument": trust_of({"Service": "lambda.amazonaws.com"})}
    found = run(capsys, "check", write(tmp_path / "role" / "role.json", role))
    assert found.code == 0
    assert "no identity pool, and no role" in found.out


def test_text(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    leak = write(tmp_path / "leak.json", LEAK)
    found = run(capsys, "check", leak)
    assert re.search(
        r"leak.json:\d+:5: s3-isolated-by-identity \(critical, mandatory\)\n  `leak.json` statement 2 ", found.out
    )
    assert found.out.endswith("2 findings (1 mandatory) for 1 role and 0 identity pools\n")
    assert "\033" not in found.out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\033[31m" in run(capsys, "check", leak).out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\033" not in run(capsys, "check", leak).out


def test_the_package_installs_the_command(tmp_path: Path) -> None:
    """`pip install ./policies`, but for its dependencies, which the environment has."""
    import shutil

    copy = shutil.copytree(
        ROOT / "policies", tmp_path / "policies", ignore=shutil.ignore_patterns("venv", "__pycache__")
    )
    target = tmp_path / "target"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--no-build-isolation", "--target"]
    subprocess.run([*pip, target, copy], check=True, capture_output=True)
    leak = write(tmp_path / "leak.json", LEAK)
    for command in ([sys.executable, target / "bin" / "identity-scope"], [sys.executable, "-m", "identity_scope"]):
        done = subprocess.run(
            [*command, "check", "--format", "json", leak],
            cwd=tmp_path,
            env={"PYTHONPATH": str(target), "PATH": ""},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 1, done.stderr
        assert len(json.loads(done.stdout)["verdicts"][0]["findings"]) == 2
