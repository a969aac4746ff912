"""Small stacks in which everything may meet everything else: few names, two accounts, two providers, unknown values."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from policies.identity_scope.inventory.accounts import Origin
from policies.identity_scope.inventory.facts import UNKNOWN
from policies.identity_scope.sources.pulumi import Resource
from tests.policies.inventory.stack import (
    ACCOUNT,
    ATTACHMENT,
    GUARD,
    GUARDED,
    LAMBDA,
    OTHER_ACCOUNT,
    OTHER_POOL,
    OWN_FOLDER,
    WIDE,
    resource,
)
from tests.policies.pack.engine import POOL, trust

NAMES = ("a", "b", "ab")
ORIGINS = (
    Origin(),
    Origin("urn:p", ACCOUNT),
    Origin("urn:q", credentials="q"),
    Origin("urn:r", None, "us-gov-west-1", "r"),
)
CLOSED = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Principal": "*"}}
OPEN = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*", "Principal": "*"},
}

_URNS = {
    type_: [f"urn:pulumi:test::pack::{type_}::{label}" for label in "xyz"]
    for type_ in (
        "aws:iam/role:Role",
        "aws:iam/policy:Policy",
        "aws:s3/bucket:Bucket",
        "aws:cognito/identityPool:IdentityPool",
    )
}
names = st.sampled_from(NAMES)
texts: st.SearchStrategy[Any] = st.sampled_from([WIDE, OWN_FOLDER, GUARD, GUARDED, "{", UNKNOWN, "[secret]"])
trusts: st.SearchStrategy[Any] = st.sampled_from([trust(), trust(OTHER_POOL), LAMBDA, UNKNOWN])
pools: st.SearchStrategy[Any] = st.sampled_from([POOL, OTHER_POOL, UNKNOWN])
bucket_texts: st.SearchStrategy[Any] = st.sampled_from([CLOSED, OPEN, UNKNOWN])


def arns(service: str) -> st.SearchStrategy[Any]:
    known = st.builds(
        lambda account, name: f"arn:aws:iam::{account}:{service}/{name}",
        st.sampled_from([ACCOUNT, OTHER_ACCOUNT]),
        names,
    )
    return known | st.just(UNKNOWN)


def _optional(**strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=strategies)


PROPS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "aws:iam/role:Role": st.builds(
        lambda more, text: {"assumeRolePolicy": text, **more},
        _optional(
            name=names,
            namePrefix=st.just("a"),
            arn=arns("role"),
            inlinePolicies=st.lists(st.fixed_dictionaries({"name": names, "policy": texts}), max_size=1),
            managedPolicyArns=st.lists(arns("policy"), max_size=2),
            permissionsBoundary=arns("policy"),
        ),
        trusts,
    ),
    "aws:iam/rolePolicy:RolePolicy": st.fixed_dictionaries(
        {"role": names | st.just(UNKNOWN), "name": names, "policy": texts}
    ),
    "aws:iam/rolePoliciesExclusive:RolePoliciesExclusive": st.fixed_dictionaries(
        {"roleName": names | st.just(UNKNOWN), "policyNames": st.lists(names | st.just(UNKNOWN), max_size=2)}
    ),
    "aws:iam/policy:Policy": st.builds(
        lambda more, text: {"policy": text, **more},
        _optional(name=names, namePrefix=st.just("a"), arn=arns("policy")),
        texts,
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": st.fixed_dictionaries(
        {"role": names | st.just(UNKNOWN), "policyArn": arns("policy")}
    ),
    "aws:iam/policyAttachment:PolicyAttachment": st.fixed_dictionaries(
        {"roles": st.lists(names | st.just(UNKNOWN), max_size=2), "policyArn": arns("policy")}
    ),
    "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive": st.fixed_dictionaries(
        {"roleName": names, "policyArns": st.lists(arns("policy"), max_size=2)}
    ),
    ATTACHMENT: st.fixed_dictionaries(
        {"identityPoolId": pools, "roles": st.fixed_dictionaries({"authenticated": arns("role")}) | st.just(UNKNOWN)}
    ),
    "aws:cognito/userGroup:UserGroup": st.fixed_dictionaries({"roleArn": arns("role")}),
    "aws:cognito/identityPool:IdentityPool": _optional(id=pools, identityPoolName=names),
    "aws:s3/bucket:Bucket": _optional(bucket=names, policy=bucket_texts),
    "aws:s3/bucketPolicy:BucketPolicy": st.fixed_dictionaries(
        {"bucket": names | st.just(UNKNOWN), "policy": bucket_texts}
    ),
}
DEPENDS = {
    "role": "aws:iam/role:Role",
    "roleName": "aws:iam/role:Role",
    "roles": "aws:iam/role:Role",
    "roleArn": "aws:iam/role:Role",
    "policyArn": "aws:iam/policy:Policy",
    "policyArns": "aws:iam/policy:Policy",
    "managedPolicyArns": "aws:iam/policy:Policy",
    "permissionsBoundary": "aws:iam/policy:Policy",
    "bucket": "aws:s3/bucket:Bucket",
    "identityPoolId": "aws:cognito/identityPool:IdentityPool",
}


@st.composite
def resources(draw: st.DrawFn) -> Resource:
    type_ = draw(st.sampled_from(sorted(PROPS)))
    props = draw(PROPS[type_])
    depends = {
        key: draw(st.lists(st.sampled_from(_URNS[DEPENDS[key]]), max_size=2, unique=True))
        for key in props
        if key in DEPENDS and not (key == "bucket" and type_ == "aws:s3/bucket:Bucket") and draw(st.booleans())
    }
    return resource(type_, draw(st.sampled_from("xyz")), depends, origin=draw(st.sampled_from(ORIGINS)), **props)


stacks = st.lists(resources(), min_size=1, max_size=8, unique_by=lambda each: each.urn)
