"""Requests that come through an access point of the stack: which statements speak of them, and of which objects.

An access point shows a bucket's objects under an ARN of its own. A request through it needs to be allowed on the access
point, by the role's own documents or by the access point's policy, and on the bucket: what the access point's policy grants
is effective only if the bucket allows it too. The access point's policy says nothing about requests that name the bucket.

INVARIANT (widening). Whether the bucket also asks for a permission where the role's own documents name the access point is
not stated: it does not.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ..iam.callers import settled
from ..iam.conditions import Truth, holds
from ..iam.documents import Condition, Effect, Statement
from ..iam.variables import Missing, Values
from ..inventory.accounts import account_of
from ..inventory.principal import AccessPoint, BucketPolicy, Principal

ARN_KEY, ACCOUNT_KEY, ORIGIN_KEY = "s3:dataaccesspointarn", "s3:dataaccesspointaccount", "s3:accesspointnetworkorigin"
"""Condition keys that only requests through an access point have."""
_KEYS = frozenset({ARN_KEY, ACCOUNT_KEY, ORIGIN_KEY})
_ACCOUNT = re.compile(r"\d{12}")
_ARN = re.compile(r"arn:[^:*?$]+:s3:[^:$]*:\d{12}:accesspoint/[^:$]+")
_ALIAS = re.compile(r"arn:[^:*?$]+:s3:::([a-z0-9.-]+-s3alias)(?:/|$)")
_POSITIVE = frozenset({"StringEquals", "StringLike", "ArnEquals", "ArnLike"})


def through_access_points(principals: Sequence[Principal]) -> Iterator[Principal]:
    """Each role once more for each access point of the stack through which it, or everyone, may be allowed something."""
    for principal in principals:
        if not principal.access_points:
            continue
        texts = _resources(principal)
        for point in principal.access_points:
            known = located(point, principal)
            if known is not None and (
                any(not text.startswith(_bucket_head(known)) or _named_alias(text) for text in texts)
                or any(of_point(policy, known) and _allows(policy) for policy in principal.resource)
            ):
                yield replace(principal, through=known)


def located(point: AccessPoint, principal: Principal) -> AccessPoint | None:
    """An access point with its ARN; None where the ARN, or the bucket, is not known.

    Before it is created, it has the ARN that the role's documents or its policy call it by, if they agree.
    """
    if point.bucket is None:
        return None
    if point.arn is not None:
        return point
    arns = {arn for text in _all_resources(principal) for arn in named_point(text) if _may_have(point, arn)}
    return replace(point, arn=arns.pop()) if len(arns) == 1 else None


def named_point(text: str) -> list[str]:
    """The ARN of the access point that a resource names literally, if any."""
    return re.findall(r"^arn:[^:*?$]+:s3:[^:*?$]+:\d{12}:accesspoint/[^:*?$/]+", text)


def _may_have(point: AccessPoint, arn: str) -> bool:
    _, _, _, region, account, name = arn.split(":", 5)
    return (
        name == f"accesspoint/{point.name}"
        and point.origin.region in (region, None)
        and point.origin.account in (account, None)
    )


def is_pending(text: str, points: Sequence[AccessPoint]) -> bool:
    """Whether what a resource names may be an access point of the stack, of which too little is known yet."""
    for arn in named_point(text):
        mine = [p for p in points if p.single and (p.arn == arn if p.arn else p.name is None or _may_have(p, arn))]
        if any(point.bucket is None or point.name is None for point in mine):
            return True
    return bool(_named_alias(text)) and any(p.single and p.alias is None for p in points)


def unknown_alias(text: str, points: Sequence[AccessPoint]) -> bool:
    """Whether a resource names the alias of an access point that is not one of the stack's."""
    return any(name not in {p.alias for p in points if p.bucket} for name in _named_alias(text))


def names_alias(text: str) -> bool:
    """Whether a resource names the alias of an access point: no bucket's name ends as aliases do.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    """
    return _ALIAS.match(text) is not None


def _named_alias(text: str) -> list[str]:
    return _ALIAS.findall(text)


def may_name(text: str, point: AccessPoint, partition: str) -> bool:
    """Whether a resource may name an access point, or something behind it: decided on its literal beginning alone."""
    literal = re.split(r"[*?$]", text, maxsplit=1)[0]
    names = (point.arn or "", f"arn:{partition}:s3:::{point.alias}" if point.alias is not None else point.arn or "")
    return any(literal.startswith(name) or name.startswith(literal) for name in names)


def _bucket_head(point: AccessPoint) -> str:
    return f"{(point.arn or '').partition(':s3:')[0]}:s3:::"


def _resources(principal: Principal) -> list[str]:
    """The resources that a role's own documents allow something on; `*` for NotResource."""
    return [
        text
        for _, document in principal.documents
        for statement in document.statements
        if statement.effect is Effect.ALLOW
        for text in (("*",) if statement.not_resource else statement.resources)
    ]


def _all_resources(principal: Principal) -> Iterator[str]:
    policies = [(policy.name, policy.document) for policy in principal.resource if policy.access_point is not None]
    for _, document in (*principal.documents, *(principal.boundary or ()), *policies):
        for statement in document.statements:
            yield from statement.resources


def of_point(policy: BucketPolicy, point: AccessPoint) -> bool:
    """Whether a policy is that of an access point, whose ARN may not have been known then."""
    other = policy.access_point
    return other is not None and other.label == point.label and replace(other, arn=point.arn) == point


def _allows(policy: BucketPolicy) -> bool:
    return any(statement.effect is Effect.ALLOW for statement in policy.document.statements)


def by_bucket(statement: Statement, points: Sequence[AccessPoint], everyone: bool) -> Statement | None:
    """A statement for requests that name the bucket, without its conditions on access points.

    None where it never applies to them. An Allow that is for requests through other access points than those of the stack
    stays, with its condition, unless it allows `everyone` what the access points of an account allow: they decide.
    """
    if not any(condition.key in _KEYS for condition in statement.conditions):
        return statement

    def decide(condition: Condition) -> Truth:
        if condition.key not in _KEYS:
            return Truth.MAYBE
        truth = holds(condition, lambda _: Missing.ABSENT, statement.expands)
        others = truth is Truth.NO and statement.effect is Effect.ALLOW and not _settles(condition, points, everyone)
        return Truth.MAYBE if others else truth

    return settled(statement, decide)


def _settles(condition: Condition, points: Sequence[AccessPoint], everyone: bool) -> bool:
    """Whether a condition lets requests come through no access point but those of the stack, or of one account."""
    if condition.operator not in _POSITIVE or condition.if_exists or condition.qualifier == "ForAllValues":
        return False
    if everyone and condition.key == ACCOUNT_KEY:
        return all(_ACCOUNT.fullmatch(value) for value in condition.values)
    if everyone and condition.key == ARN_KEY:
        return all(_ARN.fullmatch(value) for value in condition.values)
    return condition.key == ARN_KEY and {*condition.values} <= {point.arn for point in points if point.bucket}


def through_point(statement: Statement, point: AccessPoint) -> Statement | None:
    """A statement for requests through an access point, without its conditions on access points that hold."""
    if not any(condition.key in _KEYS for condition in statement.conditions):
        return statement
    account = account_of(point.arn or "")
    known: Mapping[str, str | None] = {ARN_KEY: point.arn, ACCOUNT_KEY: account, ORIGIN_KEY: point.network_origin}

    def lookup(key: str) -> Values:
        value = known.get(key)
        return (value,) if value else Missing.UNKNOWN

    def decide(condition: Condition) -> Truth:
        return holds(condition, lookup, statement.expands) if condition.key in _KEYS else Truth.MAYBE

    return settled(statement, decide)
