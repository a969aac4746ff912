"""Session tags come and go in a live pool, and at each call of the update a user gets credentials and reaches the files.

The user is asked before each call that the engine's providers make, with the credentials of that moment.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.http import HttpRequest, Response
from sandbox.scenario import account
from tests.docs.test_find_files import AFTER as AFTER_IT
from tests.docs.test_find_files import BOTH as MIGRATION
from tests.docs.test_find_files import settings
from tests.engine.conftest import CLIENT, POOL, REGION, Stack, in_sandbox

BUCKET = "notes-dev-uploads"
PROVIDER = f"cognito-idp.us-east-1.amazonaws.com/{POOL}"
BY_SUB: dict[str, Any] = {"uploads": {"bucket": BUCKET, "by": "sub"}}
BOTH: dict[str, Any] = {"authenticated": {"grants": [{"ownFolder": {"bucket": BUCKET, "by": "sub"}}]}}


@dataclass
class User:
    """A user with a token, and what came of each look at the own files."""

    stack: Stack
    token: str
    folders: tuple[str, str]
    """The folder by identity ID and the folder by `sub`."""
    seen: list[set[str]] = field(default_factory=list)
    """The folders that were readable, at each moment."""

    def reaches(self) -> set[str]:
        """The folders that the user can read with new credentials.

        Raises:
            ClientError: there are no credentials.
        """
        identity = self.stack.client("cognito-identity")
        logins = {"Logins": {PROVIDER: self.token}}
        identity_id = identity.get_id(IdentityPoolId=self.stack.pool().id, **logins)["IdentityId"]
        keys = identity.get_credentials_for_identity(IdentityId=identity_id, **logins)["Credentials"]
        s3 = self.stack.sandbox.client("s3", REGION, (keys["AccessKeyId"], keys["SecretKey"], keys["SessionToken"]))
        return {folder for folder in self.folders if _can_read(s3, f"{folder}/a")}

    def tags(self) -> dict[str, str]:
        """The tags of the user's latest session."""
        self.reaches()
        return dict(list(self.stack.sandbox.identity.sessions.values())[-1].tags)


def _can_read(s3: Any, key: str) -> bool:
    try:
        s3.get_object(Bucket=BUCKET, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] == "AccessDenied":
            return False
        raise
    return True


def user(stack: Stack) -> User:
    person = stack.person("olivia")
    token = account.id_token(stack.sandbox, POOL, CLIENT, "olivia")
    found = User(stack, token, (person.identity, person.claims["sub"]))
    for folder in found.folders:
        stack.client("s3").put_object(Bucket=BUCKET, Key=f"{folder}/a", Body=b"a")
    return found


@contextmanager
def watched(person: User) -> Iterator[list[set[str]]]:
    """Have the user look before each call of the deployer."""
    sandbox = person.stack.sandbox
    respond = sandbox.respond

    def looking(request: HttpRequest) -> Response:
        if sandbox.admin_key in request.headers.get("authorization", ""):
            person.seen.append(person.reaches())
        return respond(request)

    sandbox.respond = looking  # type: ignore[method-assign]
    try:
        yield person.seen
    finally:
        sandbox.respond = respond  # type: ignore[method-assign]
        person.seen.append(person.reaches())


MOVING, MOVED = (settings(block) for block in (MIGRATION, AFTER_IT))

CHANGES: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "from folders by identity ID to folders by sub": ({}, BY_SUB),
    "from folders by sub to folders by identity ID": (BY_SUB, {}),
    "both kinds of folders are added": ({}, BOTH),
    "one of both kinds is removed": (BOTH, {}),
    "the first step of the move in the docs": ({}, MOVING),
    "the last step of the move in the docs": (MOVING, MOVED),
}


@pytest.mark.parametrize("name", list(CHANGES))
def test_a_user_has_credentials_and_a_folder_at_each_moment(stack: Stack, name: str) -> None:
    before, after = CHANGES[name]
    stack.up(**before)
    person = user(stack)
    first = person.reaches()
    with watched(person) as seen:
        stack.up(**after)
    assert len(seen) > 2
    assert all(seen), "at each moment, one of the folders is readable"
    assert first == seen[0]
    assert seen[-1] == person.reaches() != first
    assert sum(one != next_ for one, next_ in pairwise(seen)) == 1, "in one step"


def test_a_role_that_does_not_allow_tags_yet_allows_them_before_the_first_one_is_sent(stack: Stack) -> None:
    """As this component made roles before: with `--refresh`, the trust is a change like any other."""
    stack.up()
    person = user(stack)
    role = stack.role()
    iam = stack.client("iam")
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    trust["Statement"][0]["Action"] = "sts:AssumeRoleWithWebIdentity"
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
    with watched(person) as seen:
        stack.up("--refresh", **BY_SUB)
    assert all(seen)
    assert seen[-1] == {person.folders[1]}
    assert set(person.tags()) == {"userSub"}


def test_tags_of_the_settings_are_gone_with_the_setting(stack: Stack) -> None:
    """The provider's delete would switch the default mappings of AWS on; the map stays, and becomes empty."""
    pools = [{"id": POOL, "clients": [CLIENT], "principalTags": {"claims": {"name": "cognito:username"}}}]
    stack.up(userPools=pools)
    person = user(stack)
    assert person.tags() == {"name": "olivia"}
    with watched(person) as seen:
        stack.up()
    assert all(seen)
    assert person.tags() == {}
    assert stack.pool().principal_tags[PROVIDER] == {"UseDefaults": False, "PrincipalTags": {}}
    assert stack.deviations() == []


TENANTS: dict[str, Any] = {
    "uploads": {"bucket": BUCKET, "by": "tenant"},
    "tenant": {"claim": "custom:tenant", "why": "The users of one customer share their notes."},
}


def test_a_tenant_that_users_can_change_is_an_error_before_anything_is_created(binary: Path, tmp_path: Path) -> None:
    with in_sandbox(binary, tmp_path, **TENANTS) as stack:
        idp = stack.client("cognito-idp")

        def let_users_write(*attributes: str) -> None:
            idp.update_user_pool_client(
                UserPoolId=POOL,
                ClientId=CLIENT,
                WriteAttributes=list(attributes),
                ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
            )

        let_users_write("email", "custom:tenant")
        for run in (stack.preview, stack.up):
            output = run(pack=False, fails=True, **TENANTS)
            assert "userPools[0].clients[0]: users can change `custom:tenant`" in output
        assert stack.role_names() == []
        let_users_write("email")
        stack.up(fails=True, **TENANTS)
        stack.up(pack=False, **TENANTS)  # for `packConfig`, with which the pack then lets the stack pass
        stack.up(*stack.pack_config(stack.outputs()["packConfig"]), **TENANTS)
        assert stack.deviations(**TENANTS) == []
