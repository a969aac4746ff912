"""What the program makes and what it does not, as the engine would see it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.scoped_identity import ScopedIdentityPool
from sandbox.aws.server import Sandbox
from sandbox.engine import in_process, stack_files
from sandbox.engine.in_process import Registration
from sandbox.provider.resources import UnknownType
from tests.conftest import ROOT, Deployed, deploy

GUESTS = {"reason": "Visitors read the public notes before they sign up."}


@contextmanager
def deployed(stack: str = "dev", **changes: Any) -> Iterator[Deployed]:
    yield from deploy(stack, **changes)


@pytest.fixture(scope="module")
def dev() -> Deployed:
    """The dev stack as it was deployed; its sandbox has stopped."""
    with deployed() as found:
        return found


def kinds(found: Deployed) -> list[str]:
    return [r.type_.rpartition(":")[2] for r in found.run.registrations if r.custom]


def one(found: Deployed, kind: str) -> Registration:
    (match,) = [r for r in found.run.registrations if r.type_.endswith(f":{kind}")]
    return match


EXCLUSIVE = ["RolePoliciesExclusive", "RolePolicyAttachmentsExclusive"]
TAGS = "IdentityPoolProviderPrincipalTag"


def test_the_least_makes_one_pool_one_role_one_document_one_attachment(dev: Deployed) -> None:
    expected = ["IdentityPool", "IdentityPoolRoleAttachment", TAGS, *EXCLUSIVE, "Role", "RolePolicy"]
    assert sorted(kinds(dev)) == sorted(expected)


def test_guests_off_make_no_guest_role(dev: Deployed) -> None:
    pool = one(dev, "IdentityPool")
    assert pool.inputs["allowUnauthenticatedIdentities"] is False
    assert list(one(dev, "IdentityPoolRoleAttachment").inputs["roles"]) == ["authenticated"]


def test_guests_on_make_a_guest_role_that_trusts_guests_only_and_grants_nothing() -> None:
    with deployed(guests=GUESTS) as found:
        assert sorted(kinds(found)) == sorted(
            ["IdentityPool", "IdentityPoolRoleAttachment", TAGS, *EXCLUSIVE, *EXCLUSIVE, "Role", "Role", "RolePolicy"]
        )
        guest = next(r for r in found.run.registrations if r.name == "users-guest")
        trust = json.loads(guest.inputs["assumeRolePolicy"])["Statement"][0]
        assert trust["Condition"]["ForAnyValue:StringLike"] == {"cognito-identity.amazonaws.com:amr": "unauthenticated"}
        assert GUESTS["reason"] in guest.inputs["description"]
        assert set(found.run.outputs["roleArns"]) == {"authenticated", "unauthenticated"}
        iam = found.sandbox.client("iam", "us-east-1")
        name = found.run.outputs["roleArns"]["unauthenticated"].rpartition("/")[2]
        assert iam.list_role_policies(RoleName=name)["PolicyNames"] == []


def test_the_classic_flow_is_sent_as_off_and_the_token_check_as_on(dev: Deployed) -> None:
    stored = dev.sandbox.identity.pools[dev.run.outputs["identityPoolId"]].config
    assert stored["AllowClassicFlow"] is False
    assert [p["ServerSideTokenCheck"] for p in stored["CognitoIdentityProviders"]] == [True]


def test_many_user_pools_and_clients_become_one_provider_each() -> None:
    with deployed("prod") as found:
        providers = one(found, "IdentityPool").inputs["cognitoIdentityProviders"]
        assert [(p["providerName"], p["clientId"]) for p in providers] == [
            ("cognito-idp.eu-west-1.amazonaws.com/eu-west-1_NotesProd", "3n4b5urk1ft4fl3mg5e62d9ado"),
            ("cognito-idp.eu-west-1.amazonaws.com/eu-west-1_NotesProd", "7fb2v1k9qd3m5x8c0z6nativea"),
            ("cognito-idp.us-east-1.amazonaws.com/us-east-1_NotesStaf", "5k2j8s0d7f6g5h4j3k2l1staff"),
        ]
        assert found.run.outputs["logins"] == [
            "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_NotesProd",
            "cognito-idp.us-east-1.amazonaws.com/us-east-1_NotesStaf",
        ]


def test_production_protects_the_pool_and_binds_the_roles() -> None:
    with deployed("prod") as found:
        assert one(found, "IdentityPool").protect is True
        role = one(found, "Role")
        assert role.inputs["path"] == "/app-users/"
        assert role.inputs["permissionsBoundary"] == "arn:aws:iam::123456789012:policy/app-users-boundary"


def test_the_attachment_takes_no_roles_away_when_it_is_replaced_and_waits_for_the_grants(dev: Deployed) -> None:
    attachment = one(dev, "IdentityPoolRoleAttachment")
    assert attachment.retain_on_delete is True
    assert one(dev, "RolePolicy").urn in attachment.dependencies


def test_children_are_parented_and_named_after_the_component(dev: Deployed) -> None:
    component = one(dev, "ScopedIdentityPool")
    for kind in ("IdentityPool", "Role", "IdentityPoolRoleAttachment"):
        assert one(dev, kind).parent == component.urn
    names = [r.name for r in dev.run.registrations]
    assert sorted(names) == [*["users"] * 4, *["users-authenticated"] * 4, "users-us-east-1-NotesDev1"]


def test_every_output_is_there(dev: Deployed) -> None:
    outputs = dev.run.outputs
    pool_id = outputs["identityPoolId"]
    assert outputs["identityPoolArn"] == f"arn:aws:cognito-identity:us-east-1:123456789012:identitypool/{pool_id}"
    assert outputs["region"] == "us-east-1"
    assert outputs["folder"] == "notes-dev-uploads/${cognito-identity.amazonaws.com:sub}/"
    assert outputs["amplify"]["Auth"]["Cognito"]["identityPoolId"] == pool_id
    annotated = set(ScopedIdentityPool.__annotations__)
    assert {_snake(name) for name in outputs} == annotated


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


def test_documents_of_literal_config_are_known_at_preview() -> None:
    with deployed() as found:
        preview = in_process.run(
            found.sandbox, ROOT / "__main__.py", "scoped-identity", "dev", _dev_config(), preview=True
        )
        policy = next(r for r in preview.registrations if r.type_.endswith(":RolePolicy"))
        assert json.loads(policy.inputs["policy"])["Statement"][0]["Sid"] == "OwnFolder"


def _dev_config() -> dict[str, str]:

    return stack_files.read(ROOT, "dev").config


def test_ids_of_another_stack_are_read_from_it() -> None:
    with deployed("staging") as found:
        assert one(found, "IdentityPool").inputs["cognitoIdentityProviders"][0]["clientId"].startswith("sandbox")
        statement = json.loads(one(found, "RolePolicy").inputs["policy"])["Statement"][0]
        assert statement["Resource"].startswith("arn:aws:s3:::sandbox-uploads-")


BAD_CONFIG = [
    ({"colour": "red"}, "colour: unknown setting"),
    ({"uploads": {"bucket": "stack:x"}}, "uploads.bucket: `stack:x` is not a reference to a stack output"),
    ({"poolName": "", "api": {"id": "!"}}, "api.id: `!` is not an API ID"),
    # An unknown key does not hide the other problems.
    ({"colour": "red", "api": {"id": "!"}}, "api.id: `!` is not an API ID"),
    (
        {"uploads": {"bucket": "B", "kms_key": "x"}},
        "uploads.kms_key: is spelled `kmsKey` in stack config\nuploads.bucket: `B` is",
    ),
]


@pytest.mark.parametrize(("changes", "message"), BAD_CONFIG)
def test_bad_config_makes_nothing(changes: dict[str, Any], message: str) -> None:

    files = stack_files.read(ROOT, "dev", {f"scoped-identity:{k}": v for k, v in changes.items()})
    with Sandbox().running() as sandbox:
        heard: list[Registration] = []
        with pytest.raises(pulumi.RunError) as error:
            in_process.run(sandbox, ROOT / "__main__.py", files.project, "dev", files.config, before=heard.append)
        assert message in str(error.value)
        assert [r for r in heard if r.custom] == []
        assert sandbox.identity.pools == {}


def test_a_bad_output_of_another_stack_makes_nothing() -> None:
    """The output is known only while the program runs; still no resource is made from it."""

    files = stack_files.read(ROOT, "staging")
    outputs = {
        "organization/notes-foundation/staging": {
            "userPoolId": "us-east-1_Fine00001",
            "userPoolClientId": "client1",
            "uploadsBucket": "arn:aws:s3:::not-a-name",
            "apiId": "a1b2",
        }
    }
    with Sandbox().running() as sandbox:
        with pytest.raises(pulumi.RunError) as error:
            in_process.run(sandbox, ROOT / "__main__.py", files.project, "staging", files.config, stack_outputs=outputs)
        assert "uploads.bucket: `arn:aws:s3:::not-a-name` is an ARN" in str(error.value)
        assert sandbox.identity.pools == {}
        assert sandbox.client("iam", "us-east-1").list_roles()["Roles"] == []


def test_a_resource_type_that_the_sandbox_does_not_know_is_an_error_that_names_it() -> None:

    with Sandbox().running() as sandbox, pytest.raises(UnknownType, match="aws:sqs/queue:Queue"):
        in_process.run(sandbox, lambda: _unused(aws.sqs.Queue("q")), "p", "s", {"aws:region": "us-east-1"})


def _unused(_: object) -> None:
    return None
