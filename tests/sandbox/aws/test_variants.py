"""The sandbox with other settings: regions, partitions, stacks, guests, profiles. One deployment for each test."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from components.scoped_identity import documents
from sandbox.scenario.attempts import Person
from tests.conftest import deploy, identity_client, refusal, s3_of, tried


@pytest.mark.parametrize(
    ("region", "partition"), [("eu-central-1", "aws"), ("us-gov-west-1", "aws-us-gov"), ("us-gov-east-1", "aws-us-gov")]
)
def test_another_region_and_govcloud_work_the_same(region: str, partition: str) -> None:
    pools = [{"id": f"{region}_NotesDev1", "clients": ["client000000000000000000"]}]
    for found in deploy(region=region, userPools=pools):
        assert len(tried(found)) == 19
        assert found.run.outputs["identityPoolId"].startswith(f"{region}:")
        assert found.run.outputs["roleArns"]["authenticated"].startswith(f"arn:{partition}:iam::")


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_the_other_stacks_isolate_their_users_too(stack: str) -> None:
    for found in deploy(stack):
        tried(found)


def test_read_only_users_read_and_list_and_do_not_write() -> None:
    for found in deploy(uploads={"bucket": "notes-dev-uploads", "access": "read-only"}):
        got = tried(found)
        assert got["A: put a file in A's folder"] == "denied"
        assert got["A: get A's file"] == "allowed"


def test_a_widened_statement_turns_rows_red(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table is evidence only if it can be red: with `BUCKET/*`, A reads, writes and deletes B's files."""
    real = documents.own_folder

    def widened(*args: Any) -> list[dict[str, Any]]:
        statements = real(*args)
        statements[0]["Resource"] = "arn:aws:s3:::notes-dev-uploads/*"
        return statements

    monkeypatch.setattr(documents, "own_folder", widened)
    for found in deploy():
        red = [row.tries for row in found.access_checks().rows() if not row.ok]
        assert red == ["get B's file", "put a file in B's folder", "delete B's file", "copy B's file into A's folder"]


def test_the_guides_policy_lets_a_session_rewire_the_pool() -> None:
    """Why `guide` is not the default: `cognito-identity:*` on `*` is a way round everything else."""
    for found in deploy(profile="guide"):
        person = found.access_checks().sign_in("alice")
        client = found.sandbox.client("cognito-identity", found.app.region, person.credentials)
        client.set_identity_pool_roles(
            IdentityPoolId=found.run.outputs["identityPoolId"], Roles={"authenticated": "arn:aws:iam::1:role/other"}
        )
        assert found.sandbox.identity.pools[found.run.outputs["identityPoolId"]].roles == {
            "authenticated": "arn:aws:iam::1:role/other"
        }


def test_guests_get_credentials_that_allow_nothing() -> None:
    for found in deploy(guests={"reason": "Visitors read the public notes."}):
        client = identity_client(found)
        pool = found.run.outputs["identityPoolId"]
        identity = client.get_id(IdentityPoolId=pool)["IdentityId"]
        vended = client.get_credentials_for_identity(IdentityId=identity)["Credentials"]
        guest = Person("guest", identity, (vended["AccessKeyId"], vended["SecretKey"], vended["SessionToken"]))
        with pytest.raises(ClientError) as error:
            s3_of(found, guest).list_objects_v2(Bucket=found.app.bucket, Prefix=f"{identity}/")
        assert refusal(error.value) == "AccessDenied"
