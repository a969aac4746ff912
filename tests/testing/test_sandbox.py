"""The sandbox as a test uses it: several that do not meet, processes that end, files that are refused with their place."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from identity_sandbox import NotDenied, Sandbox, SandboxError
from tests.conftest import ROOT
from tests.processes import expect_end

pytestmark = pytest.mark.process
TEMPLATE = json.loads((ROOT / "tests" / "testing" / "template.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox.pool() as found:
        yield found


def test_several_at_once_do_not_meet(sandbox: Sandbox) -> None:
    """The same names everywhere: users, buckets and roles of one are not those of the other."""
    with Sandbox.pool() as other:
        here, there = sandbox.sign_up("same"), other.sign_up("same")
        here.s3.put_object(Bucket=sandbox.bucket, Key=f"{here.identity_id}/x", Body=b"x")
        assert "Contents" not in other.client("s3").list_objects_v2(Bucket=other.bucket)
        other.client("iam").put_role_policy(
            RoleName="users",
            PolicyName="own",
            PolicyDocument='{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}',
        )
        there.expect_denied(there.s3.get_object, Bucket=other.bucket, Key=f"{there.identity_id}/x")
        assert here.s3.get_object(Bucket=sandbox.bucket, Key=f"{here.identity_id}/x")["Body"].read() == b"x"
        logins = {other.provider: here.id_token}
        with pytest.raises(ClientError, match="NotAuthorizedException"):
            other.client("cognito-identity").get_id(IdentityPoolId=other.identity_pool, Logins=logins)


def test_only_a_denial_is_a_denial(sandbox: Sandbox) -> None:
    user = sandbox.sign_up("denied")
    own = {"Bucket": sandbox.bucket, "Key": f"{user.identity_id}/x"}
    assert "s3:GetObject" in user.expect_denied(user.s3.get_object, Bucket=sandbox.bucket, Key="other/x")
    user.expect_denied(user.s3.head_object, Bucket=sandbox.bucket, Key="other/x")
    with pytest.raises(NotDenied, match="NoSuchKey"):
        user.expect_denied(user.s3.get_object, **own)
    with pytest.raises(NotDenied, match="was allowed"):
        user.expect_denied(user.s3.put_object, **own)


def test_a_code_that_a_user_would_get(sandbox: Sandbox) -> None:
    idp = sandbox.client("cognito-idp")
    idp.sign_up(ClientId=sandbox.app_client, Username="coded", Password="Correct-horse-battery-9")
    code = sandbox.code_of("coded")
    assert code is not None
    idp.confirm_sign_up(ClientId=sandbox.app_client, Username="coded", ConfirmationCode=code)
    assert sandbox.code_of("nobody") is None


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_sandbox_ends_with_whoever_started_it(stop: signal.Signals) -> None:
    begin = "import time; from identity_sandbox import Sandbox; found = Sandbox.pool()"
    command = [sys.executable, "-c", f"{begin}; print(found._process._process.pid, flush=True); time.sleep(60)"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as owner:
        assert owner.stdout is not None
        sandbox_process = int(owner.stdout.readline())
        owner.send_signal(stop)
    expect_end(sandbox_process, "the sandbox")


# Templates


def written(folder: Path, value: Any) -> Path:
    path = folder / "template.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def changed(change: Any) -> Any:
    value = json.loads(json.dumps(TEMPLATE))
    change(value["Resources"])
    return value


def test_a_template_in_which_somebody_reaches_everything_is_found_out(tmp_path: Path) -> None:
    def widen(resources: Any) -> None:
        statement = resources["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]
        statement["Resource"] = {"Fn::Sub": "${Uploads.Arn}/*"}

    with Sandbox.template(written(tmp_path, changed(widen)), parameters={"Stage": "test"}) as sandbox:
        ann, bob = sandbox.sign_up("ann"), sandbox.sign_up("bob")
        letter = {"Bucket": sandbox.bucket, "Key": f"{ann.identity_id}/x"}
        ann.s3.put_object(**letter, Body=b"x")
        with pytest.raises(NotDenied, match="was allowed"):
            bob.expect_denied(bob.s3.get_object, **letter)


@pytest.mark.parametrize("claim", ["sub", "email"])
def test_the_principal_tags_of_a_template(claim: str, tmp_path: Path) -> None:
    """Folders named by a claim: two people with one value of it share a folder, and others do not."""

    def key_by_claim(resources: Any) -> None:
        policies = resources["Role"]["Properties"]["Policies"]
        policies[0]["PolicyDocument"]["Statement"] = {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": {"Fn::Sub": "${Uploads.Arn}/${!aws:PrincipalTag/user}/*"},
        }
        resources["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Action"] = [
            "sts:AssumeRoleWithWebIdentity",
            "sts:TagSession",
        ]
        resources["Tags"] = {
            "Type": "AWS::Cognito::IdentityPoolPrincipalTag",
            "Properties": {
                "IdentityPoolId": {"Ref": "Pool"},
                "IdentityProviderName": {"Fn::GetAtt": "Users.ProviderName"},
                "PrincipalTags": {"user": claim},
            },
        }

    with Sandbox.template(written(tmp_path, changed(key_by_claim)), parameters={"Stage": "test"}) as sandbox:
        ann, bob = (sandbox.sign_up(name, {"email": "both@example.com"}) for name in ("ann", "bob"))
        payload = ann.id_token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        letter = {"Bucket": sandbox.bucket, "Key": f"{claims[claim]}/x"}
        ann.s3.put_object(**letter, Body=b"x")
        if claim == "email":
            assert bob.s3.get_object(**letter)["Body"].read() == b"x"
        else:
            bob.expect_denied(bob.s3.get_object, **letter)


def _tags_unknown(resources: Any) -> None:
    resources["Tags"] = {
        "Type": "AWS::Cognito::IdentityPoolPrincipalTag",
        "Properties": {
            "IdentityPoolId": {"Ref": "Pool"},
            "IdentityProviderName": "accounts.google.com",
            "PrincipalTags": {"user": {"Ref": "Stage"}},
        },
    }


def _refers(resources: Any) -> None:
    resources["Roles"]["Properties"]["Roles"]["authenticated"] = "arn:aws:iam::123456789012:role/elsewhere"


def _depends(resources: Any) -> None:
    statement = resources["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]
    statement["Action"] = {"Ref": "Stage"}


def _denies(resources: Any) -> None:
    statements = resources["UploadsPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    statements[0]["Condition"] = {"NumericEquals": {"s3:max-keys": {"Ref": "Stage"}}}


def _no_pool(resources: Any) -> None:
    del resources["Pool"], resources["Roles"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (_refers, "`arn:aws:iam::123456789012:role/elsewhere`, which is not in the files"),
        (_depends, "depends on"),
        (_denies, "depends on"),
        (_tags_unknown, "its principal tags are not known"),
        (_no_pool, "`Pool` is neither a parameter nor a resource of the template"),
    ],
)
def test_what_cannot_be_created_as_it_is_written_is_an_error(tmp_path: Path, change: Any, problem: str) -> None:
    """What widens a document for a proof would let a test pass here."""
    with pytest.raises(SandboxError) as error:
        Sandbox.template(written(tmp_path, changed(change)))
    assert problem in str(error.value)
    assert "Traceback" not in str(error.value)


def test_a_state_of_terraform(tmp_path: Path) -> None:
    arn, pool = "arn:aws:iam::123456789012:role/app/users", "eu-west-1:00000000-0000-4000-8000-0000000000aa"
    statement = {
        "Effect": "Allow",
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::notes/${cognito-identity.amazonaws.com:sub}/*",
    }
    trust = {
        "Effect": "Allow",
        "Principal": {"Federated": "cognito-identity.amazonaws.com"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {"cognito-identity.amazonaws.com:aud": pool}},
    }
    values: dict[str, dict[str, Any]] = {
        "aws_s3_bucket": {"bucket": "notes", "id": "notes"},
        "aws_cognito_identity_pool": {
            "id": pool,
            "identity_pool_name": "notes",
            "allow_unauthenticated_identities": False,
        },
        "aws_iam_role": {"name": "users", "arn": arn, "assume_role_policy": _document(trust)},
        "aws_iam_role_policy": {"role": "users", "name": "own", "policy": _document(statement)},
        "aws_cognito_identity_pool_roles_attachment": {"identity_pool_id": pool, "roles": {"authenticated": arn}},
    }
    resources = [
        {
            "address": f"{type_}.it",
            "mode": "managed",
            "type": type_,
            "name": "it",
            "provider_name": "aws",
            "values": found,
        }
        for type_, found in values.items()
    ]
    state = {"format_version": "1.0", "terraform_version": "1.9.0", "values": {"root_module": {"resources": resources}}}
    with Sandbox.template(written(tmp_path, state)) as sandbox:
        assert sandbox.region == "eu-west-1"
        ann, bob = sandbox.sign_up("ann"), sandbox.sign_up("bob")
        ann.s3.put_object(Bucket="notes", Key=f"{ann.identity_id}/x")
        bob.expect_denied(bob.s3.put_object, Bucket="notes", Key=f"{ann.identity_id}/x")


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_stack_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"Pulumi\.yaml") as error:
        Sandbox.stack(tmp_path)
    assert "Traceback" not in str(error.value)
