"""What the real provider would refuse is refused here: by pulumi_aws's own types, before anything is made."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from sandbox.aws.server import Sandbox
from sandbox.engine import in_process
from sandbox.provider.resources import computed, problems
from sandbox.provider.schema_check import UNKNOWN, InputsRefused

POOL = "aws:cognito/identityPool:IdentityPool"
ROLE = "aws:iam/role:Role"
PROVIDER = {"providerName": "p", "clientId": "c", "serverSideTokenCheck": True}
DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


def pool(**changes: Any) -> dict[str, Any]:
    return {"identityPoolName": "notes", "cognitoIdentityProviders": [PROVIDER], "tags": {"app": "notes"}, **changes}


RIGHT = [
    (POOL, pool()),
    (POOL, pool(allowClassicFlow=None)),
    (POOL, pool(identityPoolName=UNKNOWN, cognitoIdentityProviders=[UNKNOWN], tags=UNKNOWN)),
    (ROLE, {"assumeRolePolicy": "{}", "maxSessionDuration": 3600.0}),
    (ROLE, {"assumeRolePolicy": DOCUMENT}),
]
WRONG = [
    (POOL, pool(identityPoolName=None), "`identityPoolName` is required"),
    (POOL, pool(identityPoolNmae="x"), "`identityPoolNmae` is not a property; known here: allowClassicFlow"),
    (POOL, pool(allowClassicFlow="no"), "`allowClassicFlow` must be true or false, not text"),
    (POOL, pool(tags=["a"]), "`tags` must be an object, not a list"),
    (POOL, pool(tags={"a": 1}), "`tags.a` must be text, not a number"),
    (POOL, pool(cognitoIdentityProviders=PROVIDER), "`cognitoIdentityProviders` must be a list, not an object"),
    (POOL, pool(cognitoIdentityProviders=["p"]), "`cognitoIdentityProviders[0]` must be an object, not text"),
    (
        POOL,
        pool(cognitoIdentityProviders=[PROVIDER, {**PROVIDER, "clientID": "c"}]),
        "`cognitoIdentityProviders[1].clientID` is not a property; known here: clientId, providerName",
    ),
    (ROLE, {"assumeRolePolicy": "{}", "maxSessionDuration": "long"}, "`maxSessionDuration` must be a whole number"),
    (ROLE, {"assumeRolePolicy": "{}", "maxSessionDuration": 0.5}, "`maxSessionDuration` must be a whole number"),
    (ROLE, {"assumeRolePolicy": "{}", "maxSessionDuration": True}, "`maxSessionDuration` must be a whole number"),
    (ROLE, {"assumeRolePolicy": {**DOCUMENT, "Statment": []}}, "`assumeRolePolicy.Statment` is not a property"),
    (ROLE, {"assumeRolePolicy": 1}, "`assumeRolePolicy` must be text"),
]


@pytest.mark.parametrize(("type_", "inputs"), RIGHT)
def test_what_the_provider_takes_passes(type_: str, inputs: dict[str, Any]) -> None:
    assert problems(type_, inputs) == []


@pytest.mark.parametrize(("type_", "inputs", "message"), WRONG, ids=[message for _, _, message in WRONG])
def test_what_the_provider_refuses_is_reported_with_its_path(type_: str, inputs: dict[str, Any], message: str) -> None:
    (problem,) = problems(type_, inputs)
    assert problem.message.startswith(message)


def test_what_aws_gives_out_is_known_from_the_types() -> None:
    assert computed(ROLE) == {"arn", "createDate", "tagsAll", "uniqueId"}


@pytest.mark.parametrize("preview", [True, False])
def test_a_program_with_a_wrong_input_is_stopped_before_anything_is_made(preview: bool) -> None:
    def wrong() -> None:
        aws.cognito.IdentityPool("users", identity_pool_name="notes", allow_classic_flow="perhaps")  # type: ignore[call-overload]

    with Sandbox().running() as sandbox:
        with pytest.raises(
            InputsRefused, match=r"`users` \(aws:cognito/identityPool:IdentityPool\): `allowClassicFlow`"
        ):
            in_process.run(sandbox, wrong, "p", "s", {"aws:region": "us-east-1"}, preview=preview)
        assert sandbox.identity.pools == {}


def test_a_document_may_be_an_object() -> None:
    def flat() -> None:
        service = {"Service": "x.amazonaws.com"}
        statement: Any = {"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}
        trust: Any = {"Version": "2012-10-17", "Statement": [statement]}
        role = aws.iam.Role("r", assume_role_policy=trust)
        pulumi.export("name", role.name)

    with Sandbox().running() as sandbox:
        run = in_process.run(sandbox, flat, "p", "s", {"aws:region": "us-east-1"})
        found_role = sandbox.client("iam", "us-east-1").get_role(RoleName=run.outputs["name"])["Role"]
        assert found_role["AssumeRolePolicyDocument"]["Statement"][0]["Action"] == "sts:AssumeRole"
