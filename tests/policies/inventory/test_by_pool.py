"""Roles of one pool are one question, with the bucket policies that concern it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from policies.identity_scope.inventory.by_pool import by_pool
from policies.identity_scope.inventory.facts import UNKNOWN
from policies.identity_scope.inventory.vended import Declared
from policies.identity_scope.sources.pulumi import Resource
from tests.policies.inventory.stack import (
    GUARDED,
    LAMBDA,
    OTHER_POOL,
    OWN_FOLDER,
    WIDE,
    findings,
    inventory,
    pool,
    resource,
    role,
    role_arn,
    role_policy,
    vend,
    vended,
)
from tests.policies.pack.engine import ME, POOL, allow, document, trust, trust_of

OPEN = document([allow("arn:aws:s3:::other/*", Principal="*")])
ISSUER = "cognito-identity.amazonaws.com"


def questions(resources: Iterable[Resource], only: frozenset[str] | None = None) -> list[list[str]]:
    roles = inventory(resources).vended(Declared())
    return [[each.label for each in group] for group in by_pool(roles, only)]


def of_pool(name: str, pool: str, text: Any = OWN_FOLDER) -> list[Resource]:
    return [role(name, assumeRolePolicy=trust(pool)), role_policy(text, of=name, label=f"{name}-access")]


A, B = of_pool("a", POOL), of_pool("b", OTHER_POOL)
BOTH = trust()
BOTH["Statement"][0]["Condition"]["StringEquals"] = {f"{ISSUER}:aud": [POOL, OTHER_POOL]}
ANY = trust_of({"Federated": ISSUER})
LIKE = trust_of({"Federated": ISSUER}, {"StringLike": {f"{ISSUER}:aud": POOL}})


def test_roles_of_different_pools_are_different_questions() -> None:
    assert questions([*A, *B]) == [["a"], ["b"]]
    assert questions([*A, *of_pool("c", POOL)]) == [["a", "c"]]
    assert questions([]) == []


def test_a_role_of_several_pools_is_a_part_of_each() -> None:
    assert questions([*A, *B, role("c", assumeRolePolicy=BOTH)]) == [["a", "c"], ["b", "c"]]


@pytest.mark.parametrize("trusting", [ANY, LIKE, trust("*"), UNKNOWN])
def test_a_role_that_any_pool_may_vend_is_a_part_of_each(trusting: Any) -> None:
    vending = resource("aws:cognito/userGroup:UserGroup", "g", roleArn=role_arn("c"))
    assert questions([*A, *B, role("c", assumeRolePolicy=trusting), vending]) == [["a", "c"], ["b", "c"]]
    assert questions([role("c", assumeRolePolicy=trusting), vending]) == [["c"]]


def test_at_preview_a_pool_is_known_by_the_resource_that_makes_it() -> None:
    first, second = pool(), pool("second")
    stack: list[Resource] = [first, second]
    for number, made in enumerate((first, second)):
        stack.append(role(f"r{number}", assumeRolePolicy=UNKNOWN))
        stack.append(vend(role_arn(f"r{number}"), UNKNOWN, label=f"v{number}", depends={"identityPoolId": [made.urn]}))
    assert questions(stack) == [["r0"], ["r1"]]


def test_only_the_questions_about_some_roles_are_asked() -> None:
    assert questions([*A, *B], only=frozenset({B[0].urn})) == [["b"]]
    assert questions([*A, *B], only=frozenset()) == []


def test_a_role_that_nobody_can_get_from_a_pool_still_is_one_question() -> None:
    assert questions([role("c", assumeRolePolicy=LAMBDA), vend(role_arn("c"))]) == [["c"]]


def bucket_policy(text: Any, bucket: Any = "other") -> Resource:
    return resource("aws:s3/bucketPolicy:BucketPolicy", "guard", bucket=bucket, policy=text)


def concerned(text: Any, bucket_text: Any, bucket: Any = "other") -> bool:
    roles = vended([role(), role_policy(text), bucket_policy(bucket_text, bucket)]).values()
    ((found,),) = by_pool(list(roles))
    return bool(found.principal.resource)


CONCERNED: list[tuple[bool, Any, Any, Any]] = [
    (False, OWN_FOLDER, OPEN, "other"),
    (True, OWN_FOLDER, OPEN, "bkt"),
    (True, OWN_FOLDER, OPEN, UNKNOWN),
    (True, document([allow("*")]), OPEN, "other"),
    (True, document([allow("arn:aws:s3:::*/x")]), OPEN, "other"),
    (True, document([allow("arn:aws:s3:::oth?r/x")]), OPEN, "other"),
    (True, document([allow("arn:aws:s3:::${aws:PrincipalTag/b}/x")]), OPEN, "other"),
    (True, document([allow("arn:aws:s3:us-east-1:123456789012:accesspoint/p/object/*")]), OPEN, "other"),
    (True, document([allow("arn:aws:s3:::p-x1-s3alias/*")]), OPEN, "other"),
    (True, document([{"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::bkt/*"}]), OPEN, "other"),
    (False, document([allow("*", "logs:PutLogEvents")]), OPEN, "other"),
    (True, document([allow("*", "*")]), OPEN, "other"),
    (False, GUARDED, OPEN, "other"),
    (True, OWN_FOLDER, document([allow("arn:aws:s3:::other/*", Principal={"AWS": role_arn()})]), "other"),
    (True, OWN_FOLDER, document([allow("arn:aws:s3:::other/*", Principal={"Federated": ISSUER})]), "other"),
    (False, OWN_FOLDER, document([allow("arn:aws:s3:::other/*", Principal={"AWS": "123456789012"})]), "other"),
    (False, OWN_FOLDER, document([allow("arn:aws:s3:::other/*", Principal={"Service": "s3.amazonaws.com"})]), "other"),
]


@pytest.mark.parametrize(("expected", "text", "bucket_text", "bucket"), CONCERNED)
def test_a_bucket_policy_concerns_roles_that_name_its_bucket_or_that_it_names(
    expected: bool, text: Any, bucket_text: Any, bucket: Any
) -> None:
    assert concerned(text, bucket_text, bucket) is expected


def test_a_policy_that_concerns_one_role_of_a_pool_stays_with_all() -> None:
    roles = vended([*A, *of_pool("c", POOL, document([allow("arn:aws:s3:::other/x")])), bucket_policy(OPEN)])
    ((first, second),) = by_pool(list(roles.values()))
    assert first.principal.resource == second.principal.resource != ()


def test_folders_of_different_pools_are_no_leak() -> None:
    """`b/S/*` for one pool and all of `b` for another: no identity gets both roles."""
    one, other = (
        of_pool("a", POOL),
        of_pool("b", OTHER_POOL, document([allow(f"arn:aws:s3:::other/{ME}/*")])),
    )
    assert findings([*one, *other]) == set()
    leaks = findings([*one, *of_pool("c", POOL, WIDE)])
    assert "s3-isolated-by-identity" in {rule for rule, _, _ in leaks}
