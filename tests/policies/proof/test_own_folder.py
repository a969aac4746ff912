"""The own folder, where some roles only are asked about: those that an update is about to create or change."""

from __future__ import annotations

import json

import pytest

from policies.identity_scope.iam.documents import parse
from policies.identity_scope.inventory.principal import Principal
from policies.identity_scope.proof.own_folder import own_folder
from policies.identity_scope.proof.results import OutsideFolder
from policies.identity_scope.proof.scope import Scope

SUB = "${cognito-identity.amazonaws.com:sub}"
NAMED = "us-east-1:01234567-89ab-4cde-8f01-23456789abcd"


def scope(keys: dict[str, str], folders: tuple[str, ...] = ()) -> Scope:
    """Roles, each with the keys that it may read; `new` is asked about."""
    principals = []
    for role, key in keys.items():
        statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::bkt/{key}"}
        document = parse(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
        principals.append(Principal(role, (("policy", document),), urn=role))
    return Scope(tuple(principals), ("us-east-1",), folders=folders, focus=frozenset({"new"}))


@pytest.mark.parametrize("old", [f"{SUB}/*", f"y/{SUB}/*", f"{NAMED}/*", f"a/{NAMED}/{SUB}/*"])
@pytest.mark.parametrize("first", [True, False])
def test_a_new_role_and_an_old_one_with_another_folder_are_reported(old: str, first: bool) -> None:
    """Whichever of the two comes first, and also where some identities only have two folders."""
    keys = {"new": f"x/{SUB}/*", "old": old}
    (result,) = own_folder(scope(keys if first else dict(reversed(keys.items()))))
    assert isinstance(result, OutsideFolder)
    assert result.role == "new"
    assert not result.folder.startswith("bkt/x/")
    assert result.arn.removeprefix("arn:aws:s3:::").startswith("bkt/x/")


@pytest.mark.parametrize("old", [f"x/{SUB}/*", f"x/{SUB}/y/*", "shared"])
def test_a_new_role_in_the_folder_of_the_old_ones_or_beside_what_is_none_is_not(old: str) -> None:
    """What other roles reach outside every folder is reported for them."""
    assert own_folder(scope({"new": f"x/{SUB}/*", "old": old})) == []


@pytest.mark.parametrize(("key", "reported"), [(f"x/{SUB}/*", False), (f"y/{SUB}/*", True)])
def test_only_the_new_role_is_held_against_the_allowed_folders(key: str, reported: bool) -> None:
    found = own_folder(scope({"new": key, "old": "y"}, ("bkt/x/",)))
    assert [result.role for result in found] == (["new"] if reported else [])
