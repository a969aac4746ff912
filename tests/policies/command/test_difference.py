"""`identity-scope diff`: which roles are compared, what is new and lost, and what cannot be told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.policies.command.run import Run, run, write, written
from tests.policies.command.test_check import pulumi_role, state
from tests.policies.pack.engine import ISSUER, ME, POOL, allow, document, trust, trust_of
from tests.policies.sources.mistakes import RIGHT, Setup
from tests.policies.sources.test_cloudformation import template
from tests.policies.sources.test_tag_maps import terraform
from tests.policies.sources.test_terraform import state as terraform_state

OWN = document([allow(f"arn:aws:s3:::notes/{ME}/*")])
LEAK = document([allow(f"arn:aws:s3:::notes/{ME}/*"), allow("arn:aws:s3:::notes/public/*")])


def diff(capsys: pytest.CaptureFixture[str], old: Path, new: Path, *options: str) -> Run:
    return run(capsys, "diff", "--format", "json", *options, old, new)


def roles(found: Run) -> dict[str, dict[str, Any]]:
    assert found.code != 2, found.err
    return {role["name"]: role for role in json.loads(found.out)["roles"]}


def test_two_documents(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = write(tmp_path / "old" / "a.json", OWN), write(tmp_path / "new" / "b.json", LEAK)
    found = diff(capsys, old, new)
    (role,) = roles(found).values()
    assert found.code == 0
    assert role["status"] == "kept"
    (change,) = role["gained"]
    assert change["action"] == "s3:GetObject"
    assert change["resource"] == "arn:aws:s3:::notes/public/"
    assert (change["document"], change["statement"], change["proven"]) == ("b.json", 2, True)
    assert change["place"]["file"] == str(new)
    assert role["lost"] == []
    assert diff(capsys, old, new, "--fail-on-new-access").code == 1
    back = diff(capsys, new, old, "--fail-on-new-access")
    assert back.code == 0
    assert len(next(iter(roles(back).values()))["lost"]) == 1


def test_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = write(tmp_path / "a.json", OWN), write(tmp_path / "b.json", LEAK)
    found = run(capsys, "diff", old, new)
    assert (
        "+ identity `us-east-1:11111111-1111-1111-1111-111111111111` may `s3:GetObject` `arn:aws:s3:::notes/public/`"
        in found.out
    )
    assert found.out.endswith("new access by 1 statement, none is lost (1 comparison)\n")
    assert run(capsys, "diff", old, old).out == "no new access, which is proven, none is lost (1 comparison)\n"


def test_the_same_stack_in_two_forms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A template of today and the export of the stack that it replaces: the roles are found by their names."""
    built = template(Setup(document([allow(f"arn:aws:s3:::given/{ME}/*"), allow("arn:aws:s3:::given/x/*")])))
    built["Resources"]["Uploads"]["Properties"] = {"BucketName": "given"}
    built["Resources"]["Role"]["Properties"]["RoleName"] = "auth"
    new = write(tmp_path / "t.json", built)
    old = write(
        tmp_path / "stack.json", state(*pulumi_role(json.dumps(document([allow(f"arn:aws:s3:::given/{ME}/*")]))))
    )
    (change,) = roles(diff(capsys, old, new))["Role"]["gained"][:1]
    assert change["resource"] == "arn:aws:s3:::given/x/"


def test_roles_that_come_and_go(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def account(*names: str) -> dict[str, Any]:
        role = {"AssumeRolePolicyDocument": trust(), "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": OWN}]}
        return {"RoleDetailList": [{"RoleName": name, **role} for name in names]}

    old, new = (
        write(tmp_path / "a.json", account("one", "two")),
        write(tmp_path / "b.json", account("one", "two", "more")),
    )
    changes = roles(diff(capsys, old, new))
    assert {name: role["status"] for name, role in changes.items()} == {"one": "kept", "two": "kept", "more": "added"}
    assert [change["action"] for change in changes["more"]["gained"]] == [
        "s3:GetObject",
        "sts:AssumeRoleWithWebIdentity",
    ]
    changes = roles(diff(capsys, new, old))
    assert changes["more"]["status"] == "removed"
    assert changes["more"]["lost"]
    # One that is there under another name is the same.
    write(new, account("one", "renamed"))
    assert all(not role["gained"] and not role["lost"] for role in roles(diff(capsys, old, new)).values())


def test_who_may_assume_a_role(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    open_ = trust_of({"Federated": ISSUER}, {"StringEquals": {f"{ISSUER}:aud": POOL}})
    old = written(tmp_path / "old", {"trust.json": trust(), "own.json": OWN})
    new = written(tmp_path / "new", {"trust.json": open_, "own.json": OWN})
    (role,) = roles(diff(capsys, old, new)).values()
    assert "`Federated cognito-identity.amazonaws.com` may assume the role if" in role["gained"][0]["text"]
    assert next(iter(roles(diff(capsys, new, old)).values()))["gained"] == []
    other = trust(pool="us-east-1:cccccccc-1111-4222-8333-dddddddddddd")
    write(tmp_path / "new" / "trust.json", other)
    (role,) = roles(diff(capsys, old, new)).values()
    assert (len(role["gained"]), len(role["lost"])) == (1, 1)


def test_pools(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = write(tmp_path / "a.json", template(Setup(RIGHT))), tmp_path / "b.json"
    write(new, template(Setup(RIGHT, guests=True, classic=None)))
    assert [change["text"] for change in roles(diff(capsys, old, new))["Pool"]["gained"]] == [
        "guest access is enabled",
        "the classic flow is not off",
    ]
    assert diff(capsys, old, new, "--fail-on-new-access").code == 1
    assert diff(capsys, new, old, "--fail-on-new-access").code == 0


def test_what_cannot_be_read_is_not_proven(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    managed = {"ManagedPolicyArns": ["arn:aws:iam::aws:policy/AmazonS3FullAccess"]}
    built = template(Setup(RIGHT))
    old = write(tmp_path / "a.json", built)
    built["Resources"]["Role"]["Properties"] |= managed
    new = write(tmp_path / "b.json", built)
    found = diff(capsys, old, new, "--fail-on-new-access")
    assert found.code == 1
    (change,) = roles(found)["Role"]["gained"]
    assert (change["proven"], "AmazonS3FullAccess" in change["text"]) == (False, True)
    assert diff(capsys, new, new, "--fail-on-new-access").code == 0  # the same policy, whatever it says
    assert "1 not proven" in run(capsys, "diff", old, new).out


def test_conditions_of_templates_are_compared_with_themselves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def built(no: Any) -> dict[str, Any]:
        resource = {"Fn::If": ["Prod", f"arn:aws:s3:::notes/{ME}/*", no]}
        policy = document([{"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource}])
        conditions = {"Prod": {"Fn::Equals": [{"Ref": "Env"}, "prod"]}}
        return template(Setup(policy), Parameters={"Env": {"Type": "String"}}, Conditions=conditions)

    old = write(tmp_path / "a.json", built("arn:aws:s3:::notes/public/*"))
    assert (
        diff(capsys, old, write(tmp_path / "b.json", built("arn:aws:s3:::notes/public/*")), "--fail-on-new-access").code
        == 0
    )
    assert (
        diff(capsys, old, write(tmp_path / "b.json", built("arn:aws:s3:::notes/*")), "--fail-on-new-access").code == 1
    )


def test_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = write(tmp_path / "a.json", OWN)
    found = diff(capsys, old, tmp_path / "missing.json")
    assert (found.code, found.out) == (2, "")
    assert "does not exist" in found.err


def test_nothing_moves_a_cursor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b[2J\u202e"
    old = write(tmp_path / "a.json", OWN)
    new = write(tmp_path / f"{evil}.json", document([allow(f"arn:aws:s3:::notes/{evil}/*", Sid=evil)]))
    for output in ("text", "json"):
        found = run(capsys, "diff", "--format", output, old, new)
        assert found.code == 0
        assert not {"\x1b", "\u202e"} & set(found.out)


@pytest.mark.parametrize(("claim", "proven"), [("sub", True), ("email", False)])
def test_other_principal_tags_are_not_proven_to_be_no_new_access(
    claim: str, proven: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The documents are the same; a tag that comes from another claim names other users' folders."""
    old = write(tmp_path / "old.json", terraform_state(terraform("sub")))
    new = write(tmp_path / "new.json", terraform_state(terraform(claim)))
    found = diff(capsys, old, new, "--fail-on-new-access")
    gained = [change for role in roles(found).values() for change in role["gained"]]
    assert [change["proven"] for change in gained] == ([] if proven else [False])
    assert found.code == (0 if proven else 1)
