"""What is new between two versions of a role, against an evaluator that tries every request of a small world."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import pytest

from policies.identity_scope.iam.documents import DocumentKind, parse
from policies.identity_scope.iam.evaluator import Applicable, Reading, Request, decide
from policies.identity_scope.inventory.principal import BucketPolicy, Principal
from policies.identity_scope.proof.difference import NewAccess, new_access
from policies.identity_scope.proof.results import NotProven
from policies.identity_scope.proof.scope import Scope
from tests.policies.pack.engine import ISSUER, ME, allow, document
from tests.scale import SCALE

ME_ID, OTHER_ID = "us-east-1:11111111-1111-1111-1111-111111111111", "us-east-1:abcdef01-2345-6789-abcd-ef0123456789"
SUB = f"{ISSUER}:sub"


def principal(
    statements: Sequence[Mapping[str, Any]],
    boundary: Sequence[Mapping[str, Any]] | None = None,
    bucket: Sequence[Mapping[str, Any]] = (),
) -> Principal:
    policies: tuple[BucketPolicy, ...] = ()
    if bucket:
        parsed = parse(document([{"Principal": "*", **s} for s in bucket]), DocumentKind.RESOURCE)
        policies = (BucketPolicy("bucket", parsed, "bkt"),)
    return Principal(
        "role",
        (("policy", parse(document(statements))),) if statements else (),
        None if boundary is None else (("the permissions boundary", parse(document(boundary))),),
        policies,
        (":role/role",),
        "urn:role",
    )


def compare(old: Principal | None, new: Principal | None) -> list[NewAccess | NotProven]:
    principals = tuple(each for each in (old, new) if each is not None)
    return new_access(old, new, Scope(principals, ("us-east-1",)))


def shown(results: Sequence[NewAccess | NotProven]) -> list[tuple[str, str, str | None] | str]:
    return [(r.action, r.resource, r.prefix) if isinstance(r, NewAccess) else r.reason for r in results]


def one(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str | None] | str]:
    return shown(compare(principal(old), principal(new)))


OWN = f"arn:aws:s3:::bkt/{ME}/*"
READ_OWN, READ_ALL = allow(OWN), allow("arn:aws:s3:::bkt/*")


def listing(prefix: str, operator: str = "StringLike") -> dict[str, Any]:
    return allow("arn:aws:s3:::bkt", "s3:ListBucket", Condition={operator: {"s3:prefix": prefix}})


def deny(resource: str, **more: Any) -> dict[str, Any]:
    return {**allow(resource, **more), "Effect": "Deny"}


NOTHING_NEW: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {
    "the same": ([READ_OWN], [READ_OWN]),
    "less": ([READ_OWN, READ_ALL], [READ_OWN]),
    "a narrower resource": ([READ_ALL], [READ_OWN]),
    "one action of a wildcard": ([allow(OWN, "s3:Get*")], [allow(OWN, "s3:GetObject")]),
    "another case": ([allow(OWN, "S3:GETOBJECT")], [READ_OWN]),
    "split in two": ([allow([OWN, "arn:aws:s3:::x/*"])], [READ_OWN, allow("arn:aws:s3:::x/*")]),
    "a narrower prefix": ([listing("p/*")], [listing(f"p/{ME}/*")]),
    "an exact prefix": ([listing("p/*")], [listing("p/a", "StringEquals")]),
    "a Deny is added": ([READ_ALL], [READ_ALL, deny("arn:aws:s3:::bkt/secret/*")]),
    "another Deny takes it away": (
        [READ_ALL, deny("arn:aws:s3:::bkt/s/*")],
        [READ_ALL, deny("arn:aws:s3:::bkt/s*")],
    ),
    "a condition is added": (
        [READ_ALL],
        [allow("arn:aws:s3:::bkt/*", Condition={"Bool": {"aws:SecureTransport": "true"}})],
    ),
    "a stricter condition": (
        [allow("*", "dynamodb:Query", Condition={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": "*"}})],
        [allow("*", "dynamodb:Query", Condition={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": f"{ME}#*"}})],
    ),
    "the same variable": (
        [allow("arn:aws:s3:::bkt/${aws:PrincipalTag/team}/*")],
        [allow(["arn:aws:s3:::bkt/${aws:PrincipalTag/team}/a", "arn:aws:s3:::bkt/${aws:PrincipalTag/team}/b"])],
    ),
    "a variable in a wildcard": ([READ_ALL], [allow("arn:aws:s3:::bkt/${aws:PrincipalTag/team}/*")]),
    "a named identity's folder": ([READ_ALL], [allow(f"arn:aws:s3:::bkt/{OTHER_ID}/*")]),
    "NotAction of more": (
        [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}],
        [{"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "*"}],
    ),
    "NotResource of more": (
        [{"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::a/*"}],
        [{"Effect": "Allow", "Action": "s3:*", "NotResource": ["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"]}],
    ),
}


@pytest.mark.parametrize("name", NOTHING_NEW)
def test_no_new_access(name: str) -> None:
    old, new = NOTHING_NEW[name]
    got = one(old, new)
    if name in ("the same variable", "a variable in a wildcard"):
        assert not any(isinstance(each, tuple) for each in got)  # what it stands for may make a difference
    else:
        assert got == []
    assert name in ("the same", "another case", "split in two") or one(new, old), "the other way round there is some"


NEW: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]], tuple[str, str, str | None]]] = {
    "a role of its own": ([], [READ_OWN], ("s3:GetObject", f"arn:aws:s3:::bkt/{ME_ID}/", None)),
    "another action": (
        [READ_OWN],
        [allow(OWN, ["s3:GetObject", "s3:PutObject"])],
        ("s3:PutObject", f"arn:aws:s3:::bkt/{ME_ID}/", None),
    ),
    "a wider resource": ([READ_OWN], [READ_ALL], ("s3:GetObject", "arn:aws:s3:::bkt/x", None)),
    "a wider prefix": ([listing(f"p/{ME}/*")], [listing("p/*")], ("s3:ListBucket", "arn:aws:s3:::bkt", "p/")),
    "no prefix": (
        [listing("p/*")],
        [allow("arn:aws:s3:::bkt", "s3:ListBucket")],
        ("s3:ListBucket", "arn:aws:s3:::bkt", None),
    ),
    "an absent prefix": (
        [listing("*")],
        [listing("*", "StringLikeIfExists")],
        ("s3:ListBucket", "arn:aws:s3:::bkt", None),
    ),
    "a Deny is dropped": (
        [READ_ALL, deny("arn:aws:s3:::bkt/s/*")],
        [READ_ALL],
        ("s3:GetObject", "arn:aws:s3:::bkt/s/", None),
    ),
    "a Deny is narrower": (
        [READ_ALL, deny("arn:aws:s3:::bkt/s*")],
        [READ_ALL, deny("arn:aws:s3:::bkt/s/*")],
        ("s3:GetObject", "arn:aws:s3:::bkt/s", None),
    ),
    "a named identity's Deny is dropped": (
        [READ_OWN, deny(f"arn:aws:s3:::bkt/{OTHER_ID}/*")],
        [READ_OWN],
        ("s3:GetObject", f"arn:aws:s3:::bkt/{OTHER_ID}/", None),
    ),
    "another service": ([READ_OWN], [READ_OWN, allow("*", "dynamodb:*")], ("dynamodb:*", "*", None)),
    "escalation": ([READ_OWN], [READ_OWN, allow("*", "iam:Create*")], ("iam:CreateAccessKey", "*", None)),
    "a wildcard between letters": (
        [allow(OWN, "s3:Get*")],
        [allow(OWN, "s3:*Put*")],
        ("s3:PutObject", f"arn:aws:s3:::bkt/{ME_ID}/", None),
    ),
    "a NotResource of less": (
        [{"Effect": "Allow", "Action": "s3:GetObject", "NotResource": ["arn:aws:s3:::bkt/a*", "arn:aws:s3:::bkt/b*"]}],
        [{"Effect": "Allow", "Action": "s3:GetObject", "NotResource": ["arn:aws:s3:::bkt/a*"]}],
        ("s3:GetObject", "arn:aws:s3:::bkt/b", None),
    ),
}


@pytest.mark.parametrize("name", NEW)
def test_new_access_with_a_shortest_request(name: str) -> None:
    old, new, expected = NEW[name]
    got = one(old, new)
    assert got[0] == expected, got


def test_conditions_that_have_to_hold_are_named() -> None:
    secure = {"Bool": {"aws:SecureTransport": "true"}}
    (result,) = compare(principal([READ_OWN]), principal([READ_OWN, allow("arn:aws:s3:::bkt/*", Condition=secure)]))
    assert isinstance(result, NewAccess)
    assert [(c.label, c.written, c.values) for c in result.assumed] == [("Bool", "aws:SecureTransport", ("true",))]
    # A Deny under a condition guards only while it holds.
    guard = deny("arn:aws:s3:::bkt/*", Condition={"Bool": {"aws:SecureTransport": "false"}})
    assert one([READ_ALL, guard], [READ_ALL, guard]) == []
    assert one([READ_ALL, guard], [READ_ALL])


def test_opposite_conditions_are_tried_together() -> None:
    inside = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    outside = {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    both = [allow("arn:aws:s3:::bkt/*", Condition=inside), allow("arn:aws:s3:::bkt/*", Condition=outside)]
    assert one(both, [READ_ALL]) == []
    assert one(both[:1], [READ_ALL])


def test_boundaries() -> None:
    wide, narrow = [allow("*", "s3:*")], [allow("arn:aws:s3:::bkt/a/*", "s3:*")]
    assert shown(compare(principal([READ_ALL], narrow), principal([READ_ALL], narrow))) == []
    assert shown(compare(principal([READ_ALL], narrow), principal([READ_ALL]))) == [
        ("s3:GetObject", "arn:aws:s3:::bkt/x", None)
    ]
    assert shown(compare(principal([READ_ALL], narrow), principal([READ_ALL], wide))) == [
        ("s3:GetObject", "arn:aws:s3:::bkt/x", None)
    ]
    assert shown(compare(principal([READ_ALL], wide), principal([READ_ALL], narrow))) == []
    assert shown(compare(principal([READ_ALL]), principal([READ_ALL], narrow))) == []


def test_bucket_policies() -> None:
    opened = allow("arn:aws:s3:::bkt/p/*")
    assert shown(compare(principal([READ_OWN]), principal([READ_OWN], bucket=[opened]))) == [
        ("s3:GetObject", "arn:aws:s3:::bkt/p/", None)
    ]
    guard = deny("arn:aws:s3:::bkt/s/*")
    assert shown(compare(principal([READ_ALL], bucket=[guard]), principal([READ_ALL]))) == [
        ("s3:GetObject", "arn:aws:s3:::bkt/s/", None)
    ]
    assert shown(compare(principal([READ_ALL]), principal([READ_ALL], bucket=[guard]))) == []


def test_no_role_and_a_new_one() -> None:
    assert compare(principal([READ_OWN]), None) == []
    assert len(compare(None, principal([READ_OWN]))) == 1
    assert compare(None, principal([])) == []


def test_a_variable_that_may_be_what_makes_the_difference_is_not_proven() -> None:
    tagged = allow("arn:aws:s3:::bkt/${aws:PrincipalTag/team}/*")
    got = one([READ_ALL, deny("arn:aws:s3:::bkt/secret/*")], [tagged])
    assert got == ["it depends on what a variable of it stands for, which is not known"]


def test_the_question_is_bounded() -> None:
    stars = [f"arn:aws:s3:::bkt/*a?b{n}?*c*" for n in range(60)]
    results = new_access(
        principal([allow(stars)]), principal([allow([f"{s}d" for s in stars])]), Scope((), ("us-east-1",)), 2_000
    )
    assert all(isinstance(result, NotProven) for result in results)
    keys = [f"aws:PrincipalTag/k{n}" for n in range(30)]
    old = [allow("arn:aws:s3:::bkt/*", Condition={"StringEquals": {key: "x"}}) for key in keys]
    new = [{**statement, "Resource": f"arn:aws:s3:::bkt/{n}*"} for n, statement in enumerate(old)]
    denies = [deny("arn:aws:s3:::bkt/z*", Condition={"StringEquals": {key: "x"}}) for key in keys]
    assert all(isinstance(r, NotProven) for r in compare(principal([*old, *denies]), principal([*new, *denies[1:]])))


# --- a small world

RESOURCES = [
    "bkt/*",
    "bkt/a*",
    "bkt/*a",
    f"bkt/{ME}/*",
    f"bkt/{ME}*",
    "bkt/a/*",
    "bkt/?",
    "bkt",
    "b*",
    f"bkt/{OTHER_ID}/*",
    "*",
]
ACTIONS = ["s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:*", "s3:Get*", "s3:*Object", "*", "iam:CreateUser"]
CONDITIONS: list[dict[str, Any]] = [
    {},
    {},
    {},
    {"StringLike": {"s3:prefix": "a*"}},
    {"StringLike": {"s3:prefix": f"{ME}/*"}},
    {"StringEquals": {"s3:prefix": ["", "a"]}},
    {"StringNotLike": {"s3:prefix": "a*"}},
    {"StringLikeIfExists": {"s3:prefix": "a"}},
    {"Null": {"s3:prefix": "true"}},
    {"Bool": {"aws:SecureTransport": "true"}},
    {"Bool": {"aws:SecureTransport": "false"}},
    {"StringEquals": {"aws:RequestedRegion": "x"}},
    {"StringNotEquals": {"aws:RequestedRegion": "x"}},
    {"StringLike": {SUB: "us-east-1:a*"}},
    {"StringEquals": {SUB: OTHER_ID}},
]


def statement(chance: random.Random, denies: bool) -> dict[str, Any]:
    resources = [r if r == "*" else f"arn:aws:s3:::{r}" for r in chance.sample(RESOURCES, chance.choice((1, 1, 2)))]
    found: dict[str, Any] = {
        "Effect": "Deny" if denies else "Allow",
        "NotAction" if chance.random() < 0.1 else "Action": chance.sample(ACTIONS, chance.choice((1, 1, 2))),
        "NotResource" if chance.random() < 0.15 else "Resource": resources,
    }
    condition = chance.choice(CONDITIONS)
    return {**found, "Condition": condition} if condition else found


def version(chance: random.Random) -> Principal:
    own = [statement(chance, chance.random() < 0.3) for _ in range(chance.choice((1, 2, 3)))]
    boundary = [statement(chance, False) for _ in range(2)] if chance.random() < 0.2 else None
    bucket = [statement(chance, chance.random() < 0.5)] if chance.random() < 0.2 else []
    return principal(own, boundary, bucket)


def changed(chance: random.Random, old: Principal) -> Principal:
    """Another version, which most often has something in common with the first."""
    if chance.random() < 0.4:
        return version(chance)
    new = version(chance)
    documents = (*old.documents, *(("more", d) for _, d in new.documents)) if chance.random() < 0.5 else new.documents
    return Principal("role", documents, old.boundary, old.resource, old.arns, old.urn)


KEYS = [
    "a",
    "aa",
    "b",
    "/",
    "a/",
    "a/b",
    "ba",
    *(f"{i}{rest}" for i in (ME_ID, OTHER_ID) for rest in ("", "/", "/a", "x")),
]
PREFIXES = [None, "", "a", "ab", "b", f"{ME_ID}/", f"{OTHER_ID}/a"]


def requests() -> Iterator[tuple[str, str, str | None]]:
    for action in ("s3:GetObject", "s3:PutObject", "s3:GetObjectAcl", "s3:DeleteThing"):
        yield from ((action, f"arn:aws:s3:::bkt/{key}", None) for key in KEYS)
    for bucket in ("bkt", "bkta", "other"):
        yield from (("s3:ListBucket", f"arn:aws:s3:::{bucket}", prefix) for prefix in PREFIXES)
    yield from ((action, "*", None) for action in ("iam:CreateUser", "iam:DeleteUser", "x:y"))


def allowed(
    of: Principal, action: str, resource: str, prefix: str | None, identity: str | None, context: Mapping[str, str]
) -> bool:
    """Whether an identity's request is allowed, or one without credentials."""
    found = {
        **({SUB: (identity,)} if identity is not None else {}),
        **{key: (value,) for key, value in context.items() if value},
    }
    if prefix is not None:
        found["s3:prefix"] = (prefix,)
    caller = ("arn:aws:iam::123456789012:role/role",) if identity is not None else ()
    request = Request(action, resource, found, principal=caller)
    bucket = resource.partition(":::")[2].partition("/")[0]
    policies = tuple((p.name, p.document) for p in of.resource if p.bucket == bucket)
    documents, boundary = (of.documents, of.boundary) if identity is not None else ((), None)
    return decide(request, Applicable(documents, boundary, policies), Reading.PLAIN).allowed


CONTEXTS = [
    {"aws:securetransport": secure, "aws:requestedregion": region}
    for secure, region in product(("true", "false", ""), ("x", "y", ""))
]


def is_new(
    old: Principal, new: Principal, action: str, resource: str, prefix: str | None, identity: str | None
) -> bool:
    return any(
        allowed(new, action, resource, prefix, identity, context)
        and not allowed(old, action, resource, prefix, identity, context)
        for context in CONTEXTS
    )


@pytest.mark.random
def test_against_every_request_of_a_small_world() -> None:
    chance = random.Random(17)
    found = none = unproven = 0
    for _ in range(150 * SCALE):
        old = version(chance)
        new = changed(chance, old)
        results = compare(old, new)
        shown_ = [result for result in results if isinstance(result, NewAccess)]
        for result in shown_:
            action = result.action if "*" not in result.action else "x:y"
            if "*" in result.action:
                continue
            identity = None if result.anonymous else result.identity
            assert is_new(old, new, action, result.resource, result.prefix, identity), (old, new, result)
        if results:
            found += bool(shown_)
            unproven += not shown_
            continue
        none += 1
        for each in (ME_ID, OTHER_ID, None):
            for action, resource, prefix in requests():
                assert not is_new(old, new, action, resource, prefix, each), (
                    old,
                    new,
                    action,
                    resource,
                    prefix,
                    each,
                )
    assert found > 20
    assert none > 20
    assert unproven < found
