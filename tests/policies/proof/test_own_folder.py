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


def scope(keys: dict[str, str], folders: tuple[str, ...] = (), **conditions: object) -> Scope:
    """Roles, each with the keys that it may read, and its condition; `new` is asked about."""
    principals = []
    for role, key in keys.items():
        statement: dict[str, object] = {
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::bkt/{key}",
        }
        statement |= {"Condition": conditions[role]} if role in conditions else {}
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


NAMES = "cognito-identity.amazonaws.com:sub"
ALSO = "us-east-1:fedcba98-7654-4321-8fed-cba987654321"


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ({"StringEquals": {NAMES: NAMED}}, {}),
        ({"StringEquals": {NAMES: [ALSO, NAMED]}}, {"StringNotEquals": {NAMES: ALSO}}),
        ({"StringLike": {NAMES: "*0*"}}, {"StringLike": {NAMES: "*7*"}}),
        ({"StringNotEquals": {NAMES: NAMED}}, {"StringLike": {NAMES: "us-east-1:0*"}}),
        ({}, {"StringEquals": {NAMES: NAMED}}),
    ],
)
def test_a_new_role_of_some_identities_that_have_another_folder_is_reported(
    new: dict[str, object], old: dict[str, object]
) -> None:
    (result,) = own_folder(scope({"new": f"x/{SUB}/*", "old": f"y/{SUB}/*"}, new=new, old=old))
    assert isinstance(result, OutsideFolder)
    assert (result.role, result.folder) == ("new", f"bkt/y/{result.access.identity}/")


def test_roles_of_different_identities_may_have_different_folders() -> None:
    conditions = {"new": {"StringEquals": {NAMES: NAMED}}, "old": {"StringNotEquals": {NAMES: [NAMED, ALSO]}}}
    assert own_folder(scope({"new": f"x/{SUB}/*", "old": f"y/{SUB}/*"}, (), **conditions)) == []


@pytest.mark.parametrize("old", [f"x/{SUB}/*", f"x/{SUB}/y/*", "shared"])
def test_a_new_role_in_the_folder_of_the_old_ones_or_beside_what_is_none_is_not(old: str) -> None:
    """What other roles reach outside every folder is reported for them."""
    assert own_folder(scope({"new": f"x/{SUB}/*", "old": old})) == []


@pytest.mark.parametrize(("key", "reported"), [(f"x/{SUB}/*", False), (f"y/{SUB}/*", True)])
def test_only_the_new_role_is_held_against_the_allowed_folders(key: str, reported: bool) -> None:
    found = own_folder(scope({"new": key, "old": "y"}, ("bkt/x/",)))
    assert [result.role for result in found] == (["new"] if reported else [])
