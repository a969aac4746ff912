"""Stacks of many roles, folders and statements are decided within the budget, and right."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policies.identity_scope.iam.documents import parse
from policies.identity_scope.inventory.principal import AccessPoint, Principal
from policies.identity_scope.proof.isolation import isolation
from policies.identity_scope.proof.results import NotProven, Violation
from policies.identity_scope.proof.scope import Scope
from tests.policies.pack.engine import ME, allow, document
from tests.work import at_most

BUCKET = "arn:aws:s3:::bkt"
PREFIXED = {"StringLike": {"s3:prefix": [f"f{f}/{ME}/*" for f in range(30)]}}


def scope(roles: list[list[dict[str, Any]]]) -> Scope:
    principals = [
        Principal(f"role{i}", (("access", parse(json.dumps(document(statements)))),), urn=f"role{i}")
        for i, statements in enumerate(roles)
    ]
    return Scope(tuple(principals), ("us-east-1",))


def of_many(statement: dict[str, Any], count: int = 50) -> list[list[dict[str, Any]]]:
    return [[statement] for _ in range(count)]


FOLDERS = [[allow([f"{BUCKET}/r{r}/f{f}/{ME}/*" for f in range(30)])] for r in range(50)]
DECIDED = {
    "50 roles of 30 folders each": FOLDERS,
    "50 roles of the same 30 folders": of_many(allow([f"{BUCKET}/f{f}/{ME}/*" for f in range(30)])),
    "50 roles of 30 statements each": [[allow(f"{BUCKET}/{r}-{f}/{ME}/*") for f in range(30)] for r in range(50)],
    "50 roles of 30 buckets each": [[allow(f"arn:aws:s3:::b{r}-{f}/{ME}/*") for f in range(30)] for r in range(50)],
    "50 roles of 30 places in the own folder": of_many(allow([f"{BUCKET}/{ME}/{f}/*" for f in range(30)])),
    "50 roles of 30 listings": of_many(allow(BUCKET, "s3:ListBucket", Condition=PREFIXED)),
    "100 roles of 100 folders each": [[allow([f"{BUCKET}/{r}/{f}/{ME}/*" for f in range(100)])] for r in range(100)],
}


@pytest.mark.parametrize("name", DECIDED)
def test_many_roles_are_proven_to_be_isolated(name: str) -> None:
    assert isolation(scope(DECIDED[name])) == []


@pytest.mark.parametrize("at", [0, 31, 49])
def test_the_one_leak_among_many_roles_is_found(at: int) -> None:
    roles = [[*statements, *([allow(f"{BUCKET}/r7/f3/*")] if i == at else [])] for i, statements in enumerate(FOLDERS)]
    found = isolation(scope(roles))
    assert [type(each) for each in found] == [Violation]
    assert {(f"role{at}", "access", "1")} <= set(found[0].statements)


def test_each_of_many_roles_that_leaks_is_named() -> None:
    found = isolation(scope([[allow([f"{BUCKET}/r{r}/f{f}/*" for f in range(30)])] for r in range(50)]))
    assert not any(isinstance(each, NotProven) for each in found)
    assert {each.role for each in found} == {f"role{r}" for r in range(50)}


POINT = "arn:aws:s3:us-east-1:123456789012:accesspoint/ap"


def test_a_role_that_names_many_access_points_is_read_once_for_each() -> None:
    texts = [f"{POINT}{i}/object/*" for i in range(40)]
    points = tuple(AccessPoint(f"ap{i}", f"ap{i}", f"{POINT}{i}", None, (f"bkt{i}",)) for i in range(40))
    documents = (("access", parse(json.dumps(document([allow(texts)])))),)
    role = Principal("role", documents, urn="role", access_points=points)
    with at_most(1_500_000):
        found = isolation(Scope((role,), ("us-east-1",)))
    assert [type(each) for each in found] == [Violation]
