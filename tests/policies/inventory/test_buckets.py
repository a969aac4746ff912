"""The policies of buckets and access points, and the buckets that they are about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from policies.identity_scope.iam.documents import Effect
from policies.identity_scope.inventory.facts import UNKNOWN
from policies.identity_scope.inventory.principal import AccessPoint
from policies.identity_scope.sources.pulumi import Resource
from tests.policies.inventory.stack import findings, problems, resource, role, role_policy, vended
from tests.policies.pack.engine import ME, allow, document

OPEN = allow("arn:aws:s3:::bkt/*", Principal="*")
CLOSED = {"Effect": "Deny", "Action": "s3:*", "Principal": "*", "NotResource": [f"arn:aws:s3:::bkt/{ME}/*"]}
BOTH, DENY = document([OPEN, CLOSED]), document([CLOSED])
ARN = "arn:aws:s3:us-east-1:123456789012:accesspoint/point"


def bucket(type_: str = "aws:s3/bucket:Bucket", label: str = "bucket", **props: Any) -> Resource:
    return resource(type_, label, **{"bucket": "bkt", **props})


def bucket_policy(text: Any, bucket: Any = "bkt", label: str = "guard", **props: Any) -> Resource:
    return resource("aws:s3/bucketPolicy:BucketPolicy", label, bucket=bucket, policy=text, **props)


def access_point(bucket: Any = "bkt", **props: Any) -> Resource:
    return resource("aws:s3/accessPoint:AccessPoint", "point", **{"name": "point", "bucket": bucket, **props})


def point_policy(text: Any, arn: Any = ARN, **props: Any) -> Resource:
    return resource("aws:s3control/accessPointPolicy:AccessPointPolicy", "p", accessPointArn=arn, policy=text, **props)


def policies(resources: Iterable[Resource]) -> list[tuple[str, str | None, str]]:
    """(name, bucket, effects) of each policy of a bucket that applies to the role."""
    return [
        (each.name, each.bucket, "".join("A" if s.effect is Effect.ALLOW else "D" for s in each.document.statements))
        for each in vended([role(), *resources])["role"].principal.resource
    ]


KEPT: dict[str, list[Resource]] = {
    "a BucketPolicy": [bucket_policy(BOTH)],
    "two buckets": [bucket_policy(BOTH), bucket_policy(DENY, "other", "second")],
    "the same policy twice": [bucket_policy(BOTH), bucket_policy(BOTH, label="second")],
    "a bucket's own": [bucket(policy=BOTH)],
    "a BucketV2's own": [bucket("aws:s3/bucketV2:BucketV2", policy=BOTH)],
    "by its dependency": [bucket(), bucket_policy(BOTH, UNKNOWN, depends={"bucket": [bucket().urn]})],
    "by an ARN": [bucket_policy(BOTH, "arn:aws:s3:::bkt")],
    "beside what the provider fills in": [bucket_policy(BOTH), bucket(policy=DENY, inputs=frozenset({"bucket"}))],
    "of aws-native": [resource("aws-native:s3:BucketPolicy", "guard", bucket="bkt", policyDocument=BOTH)],
}
LOST: dict[str, list[Resource]] = {
    "two BucketPolicies": [bucket_policy(BOTH), bucket_policy(document([OPEN]), label="second")],
    "two, one of them by dependency": [
        bucket(),
        bucket_policy(BOTH, UNKNOWN, depends={"bucket": [bucket().urn]}),
        bucket_policy(document([OPEN]), label="second"),
    ],
    "a bucket's own and a BucketPolicy": [bucket(policy=BOTH), bucket_policy(document([OPEN]))],
    "two, one of them malformed": [bucket_policy(BOTH), bucket_policy("{", label="second")],
    "two, one of them not known yet": [bucket_policy(BOTH), bucket_policy(UNKNOWN, label="second")],
    "two of both providers": [
        bucket_policy(BOTH),
        resource("aws-native:s3:BucketPolicy", "second", bucket="bkt", policyDocument=document([OPEN])),
    ],
}


@pytest.mark.parametrize("name", KEPT)
def test_a_buckets_one_policy_guards_it(name: str) -> None:
    for stack in (KEPT[name], KEPT[name][::-1]):
        assert next(found for found in policies(stack) if found[1] == "bkt")[1:] == ("bkt", "AD")


@pytest.mark.parametrize("name", LOST)
def test_one_of_several_policies_allows_and_does_not_guard(name: str) -> None:
    for stack in (LOST[name], LOST[name][::-1]):
        found = policies(stack)
        assert {bucket for _, bucket, _ in found} == {"bkt"}
        assert "D" not in "".join(effects for _, _, effects in found)


def test_the_bucket_of_a_policy_may_not_be_known() -> None:
    assert policies([bucket_policy(BOTH, UNKNOWN)]) == [("guard", None, "AD")]
    both = [bucket(), bucket(label="second"), bucket_policy(BOTH, UNKNOWN, depends={"bucket": [bucket().urn, "x"]})]
    assert policies(both) == [("guard", "bkt", "AD")]


def test_a_bucket_policy_and_a_role_policy_of_one_name_keep_their_own_sources() -> None:
    text = document([allow(f"arn:aws:s3:::bkt/{ME}/*")])
    stack = [role(), role_policy(text, label="same"), bucket_policy(DENY, label="same")]
    found = vended(stack)["role"]
    assert [name for name, _ in found.principal.documents] == ["same′"]
    assert found.sources == {"same": stack[2].urn, "same′": stack[1].urn}


@pytest.mark.parametrize("pending", [True, False])
def test_a_bucket_policy_that_cannot_be_read_is_an_obstacle(pending: bool) -> None:
    found = vended([role(), bucket_policy(UNKNOWN if pending else "[secret]")])["role"]
    assert [(label, later) for label, _, later in problems(found.obstacles)] == [("guard", pending)]


POINTS: dict[str, tuple[list[Resource], AccessPoint]] = {
    "by its name": ([access_point()], AccessPoint("point", "point", None, None, ("bkt",))),
    "as it is known later": (
        [access_point(arn=ARN, alias="point-1-s3alias")],
        AccessPoint("point", "point", ARN, "point-1-s3alias", ("bkt",)),
    ),
    "by the bucket it depends on": (
        [bucket(), access_point(UNKNOWN, depends={"bucket": [bucket().urn]})],
        AccessPoint("point", "point", None, None, ("bkt",)),
    ),
    "of a bucket that is not known": ([access_point(UNKNOWN)], AccessPoint("point", "point", None, None, (None,))),
    "of aws-native": (
        [resource("aws-native:s3:AccessPoint", "point", name="point", bucket="bkt", arn=ARN)],
        AccessPoint("point", "point", ARN, None, ("bkt",)),
    ),
    "multi-region": (
        [
            resource(
                "aws:s3control/multiRegionAccessPoint:MultiRegionAccessPoint",
                "point",
                arn="arn:aws:s3::123456789012:accesspoint/abc.mrap",
                alias="abc.mrap",
                details={"name": "point", "regions": [{"bucket": "bkt"}, {"bucket": "far"}]},
            )
        ],
        AccessPoint(
            "point", "point", "arn:aws:s3::123456789012:accesspoint/abc.mrap", "abc.mrap", ("bkt", "far"), single=False
        ),
    ),
    "multi-region, of aws-native": (
        [resource("aws-native:s3:MultiRegionAccessPoint", "point", name="point", regions=[{"bucket": "bkt"}])],
        AccessPoint("point", "point", None, None, ("bkt",), single=False),
    ),
    "multi-region, not known yet": (
        [resource("aws:s3control/multiRegionAccessPoint:MultiRegionAccessPoint", "point", details=UNKNOWN)],
        AccessPoint("point", None, None, None, (None,), single=False),
    ),
    "from a VPC only": (
        [access_point(vpcConfiguration={"vpcId": "vpc-1"})],
        AccessPoint("point", "point", None, None, ("bkt",), network_origin="VPC"),
    ),
    "from where, is not known": (
        [access_point(vpcConfiguration=UNKNOWN)],
        AccessPoint("point", "point", None, None, ("bkt",), network_origin=None),
    ),
}


@pytest.mark.parametrize("name", POINTS)
def test_an_access_point_of_the_stack_is_known_with_its_bucket(name: str) -> None:
    stack, expected = POINTS[name]
    for order in (stack, stack[::-1]):
        assert vended([role(), *order])["role"].principal.access_points == (expected,)


POINT_POLICIES: dict[str, list[Resource]] = {
    "the access point's own": [access_point(policy=BOTH)],
    "of its exact ARN": [access_point(arn=ARN), point_policy(BOTH)],
    "of its name": [access_point(), point_policy(BOTH)],
    "by its dependency": [
        access_point(),
        point_policy(BOTH, UNKNOWN, depends={"accessPointArn": [access_point().urn]}),
    ],
    "of aws-native": [
        resource("aws-native:s3:AccessPoint", "point", name="point", bucket="bkt", policy=BOTH),
    ],
    "multi-region": [
        resource(
            "aws:s3control/multiRegionAccessPoint:MultiRegionAccessPoint",
            "point",
            details={"name": "point", "regions": [{"bucket": "bkt"}]},
        ),
        resource(
            "aws:s3control/multiRegionAccessPointPolicy:MultiRegionAccessPointPolicy",
            "p",
            details={"name": "point", "policy": BOTH},
        ),
    ],
    "multi-region, of aws-native": [
        resource("aws-native:s3:MultiRegionAccessPoint", "point", name="point", regions=[{"bucket": "bkt"}]),
        resource("aws-native:s3:MultiRegionAccessPointPolicy", "p", mrapName="point", policy=BOTH),
    ],
}


@pytest.mark.parametrize("name", POINT_POLICIES)
def test_an_access_points_policy_is_one_of_its_bucket(name: str) -> None:
    for stack in (POINT_POLICIES[name], POINT_POLICIES[name][::-1]):
        (found,) = vended([role(), *stack])["role"].principal.resource
        assert found.bucket == "bkt"
        assert found.access_point is not None
        assert found.access_point.name == "point"
        assert [statement.effect for statement in found.document.statements] == [Effect.ALLOW, Effect.DENY]


def test_the_policy_of_an_access_point_elsewhere_is_about_a_bucket_that_is_not_known() -> None:
    (found,) = vended([role(), point_policy(BOTH)])["role"].principal.resource
    assert found.bucket is None
    assert found.access_point == AccessPoint("p", "point", ARN, None, (None,), single=False)


def test_two_policies_of_one_access_point_guard_nothing() -> None:
    stack = [role(), access_point(policy=BOTH), point_policy(document([OPEN]))]
    found = vended(stack)["role"].principal.resource
    assert [s.effect for each in found for s in each.document.statements] == [Effect.ALLOW, Effect.ALLOW]


def test_a_bucket_policy_that_is_overwritten_does_not_hide_a_leak() -> None:
    wide = role_policy(document([allow("arn:aws:s3:::bkt/*")]))
    assert findings([role(), wide, bucket_policy(DENY)]) == set()
    lost = findings([role(), wide, bucket_policy(DENY), bucket_policy(document([CLOSED, CLOSED]), label="second")])
    assert "s3-isolated-by-identity" in {rule for rule, _, _ in lost}
