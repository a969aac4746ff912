"""Properties of the prover, over generated documents."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from components.scoped_identity.documents import document
from components.scoped_identity.outputs import pack_config
from components.scoped_identity.plan import Plan, plan
from policies.identity_scope.iam.documents import Document, DocumentKind, parse
from policies.identity_scope.iam.evaluator import Applicable, Reading, decide
from policies.identity_scope.iam.issuers import shape_of
from policies.identity_scope.inventory.declared import Shared
from policies.identity_scope.inventory.principal import Principal
from policies.identity_scope.proof.escalation import escalations
from policies.identity_scope.proof.isolation import isolation
from policies.identity_scope.proof.own_folder import own_folder
from policies.identity_scope.proof.reach import Caller
from policies.identity_scope.proof.results import Violation
from policies.identity_scope.proof.scope import Scope
from policies.identity_scope.proof.trust import trust_problems
from tests.components.test_documents import permissions
from tests.components.test_settings import good
from tests.components.test_settings import parse as parse_settings
from tests.policies.pack.engine import ME
from tests.policies.proof.strategies import documents
from tests.scale import SCALE

REGIONS = ["eu-west-1", "us-east-1", "ap-southeast-2", "us-gov-west-1", "us-gov-east-1"]


def scope(*texts: Any, regions: tuple[str, ...] = ("us-east-1",)) -> Scope:
    read = tuple((f"d{i}", t if isinstance(t, Document) else parse(t)) for i, t in enumerate(texts))
    return Scope((Principal("role", read, urn="role"),), regions)


BUCKETS = st.sampled_from(["notes", "a.b-c", "abc"])
PREFIXES_ABOVE = st.sampled_from(["", "users/", "a/b/"])
ACCESS = st.lists(st.sampled_from(["read", "write", "delete", "list"]), min_size=1, max_size=4, unique=True)
GRANTS = st.one_of(
    st.builds(lambda b, p, a: {"ownFolder": {"bucket": b, "prefix": p, "access": a}}, BUCKETS, PREFIXES_ABOVE, ACCESS),
    st.builds(lambda b: {"levels": {"bucket": b}}, BUCKETS),
    st.builds(
        lambda b, p, a: {"shared": {"bucket": b, "prefix": p, "access": a, "why": "All of them need it."}},
        BUCKETS,
        st.sampled_from(["all/", "public/x/"]),
        ACCESS,
    ),
    st.sampled_from(
        [
            {"api": {"id": "c3d4", "stage": "v2", "methods": ["GET"], "paths": ["/x/*"]}},
            {"graphql": {"id": "a" * 26, "fields": ["Query.*"]}},
            {"ownRows": {"table": "notes", "indexes": ["by-date"]}},
            {"ownTopics": {"prefix": "notes/"}},
            {"function": {"name": "thumbnail"}},
        ]
    ),
)


@st.composite
def emitted(draw: st.DrawFn) -> tuple[str, dict[str, Any], str]:
    """(region, permission document, trust document) of some settings, as the component makes them."""
    made = draw(plans())
    pool = f"{made.env.region}:aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb"
    return made.env.region, permissions(made), made.trust(pool, made.roles[0])


@st.composite
def plans(draw: st.DrawFn, grants: bool = False) -> Plan:
    region = draw(st.sampled_from(REGIONS))
    raw = good() | {
        "region": region,
        "userPools": [{"id": f"{region}_Abc", "clients": ["c"]}],
        "uploads": {
            "bucket": draw(BUCKETS),
            "prefix": draw(PREFIXES_ABOVE),
            "access": draw(st.sampled_from(["read-only", "read-write"])),
        },
        "api": {
            "id": "a1b2",
            "stage": draw(st.sampled_from(["*", "v1"])),
            "methods": draw(st.sampled_from([["*"], ["GET", "POST"]])),
            "paths": draw(st.sampled_from([["*"], ["/notes/*"]])),
        },
    }
    if grants:
        some = st.lists(GRANTS, max_size=3)
        raw["authenticated"] = {"grants": draw(some)}
        raw["guests"] = {"reason": "Visitors look around.", "grants": draw(some)}
        raw["groups"] = [{"name": "editors", "inherit": draw(st.booleans()), "grants": draw(some)}]
        raw["userPools"][0]["principalTags"] = draw(st.sampled_from([None, {"defaults": True}]))
    return plan(parse_settings(raw), region, "123456789012")


@given(emitted())
@settings(deadline=None)
def test_everything_the_component_emits_is_proven(made: tuple[str, dict[str, Any], str]) -> None:
    region, text, trust = made
    asked = scope(text, regions=(region,))
    assert isolation(asked) == []
    assert own_folder(asked) == []
    assert escalations(asked) == []
    assert list(trust_problems(parse(trust, DocumentKind.TRUST), None, {})) == []


@given(plans(grants=True))
@settings(max_examples=40 * SCALE, deadline=None)
def test_whatever_is_granted_passes_the_pack_that_is_told_what_is_shared(made: Plan) -> None:
    """The component's own account of what is shared is enough, for all roles together; without it nothing else is wrong."""
    region, told = made.env.region, pack_config(made)
    principals = tuple(
        Principal(
            role.key, tuple((f"{role.key} {i}", parse(document(p))) for i, p in enumerate(role.policies)), urn=role.key
        )
        for role in made.roles
    )
    shared = tuple(
        Shared(s["pattern"], tuple(s["actions"]), s["why"])
        for s in told.get("s3-isolated-by-identity", {}).get("shared", [])
    )
    asked = Scope(principals, (region,), shared)
    assert isolation(asked) == []
    assert escalations(asked) == []
    folders = tuple(told.get("s3-own-folder", {}).get("folders", []))
    assert own_folder(replace(asked, folders=folders)) == []
    pool = f"{region}:aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb"
    for role in made.roles:
        assert list(trust_problems(parse(made.trust(pool, role), DocumentKind.TRUST), frozenset({pool}), {})) == []
    if shared and any("public" in s.pattern for s in shared):
        assert isolation(replace(asked, shared=())) != []


def _variable(text: str) -> str:
    return text[text.index("${") : text.index("}") + 1]


def _in(statement: int, key: str, change: Callable[[str], str]) -> Callable[[dict[str, Any]], None]:
    def widen(document: dict[str, Any]) -> None:
        document["Statement"][statement][key] = change(document["Statement"][statement][key])

    return widen


def _prefix(change: Callable[[str], Any]) -> Callable[[dict[str, Any]], None]:
    def widen(document: dict[str, Any]) -> None:
        condition = document["Statement"][1]["Condition"]["StringLike"]
        condition["s3:prefix"] = change(condition["s3:prefix"])

    return widen


def _operator(name: str) -> Callable[[dict[str, Any]], None]:
    def widen(document: dict[str, Any]) -> None:
        condition = document["Statement"][1]["Condition"]
        condition[name] = condition.pop("StringLike")

    return widen


WIDENINGS: dict[str, Callable[[dict[str, Any]], None]] = {
    "no version": lambda d: d.pop("Version"),
    "star for the id": _in(0, "Resource", lambda r: r.replace(_variable(r), "*")),
    "star before the id": _in(0, "Resource", lambda r: r.replace(_variable(r), "*/" + _variable(r))),
    "another variable": _in(0, "Resource", lambda r: r.replace(_variable(r), "${aws:userid}")),
    "the whole bucket": _in(0, "Resource", lambda r: r[: r.index("${")] + "*"),
    "everything": _in(0, "Resource", lambda _: "*"),
    "not resource": lambda d: d["Statement"][0].update(NotResource=d["Statement"][0].pop("Resource")),
    "no condition": lambda d: d["Statement"][1].pop("Condition"),
    "empty prefix": _prefix(lambda p: [p, ""]),
    "any prefix": _prefix(lambda _: "*"),
    "parent prefix": _prefix(lambda p: p[: p.index("${")] + "*"),
    "if exists": _operator("StringLikeIfExists"),
    "for all values": _operator("ForAllValues:StringLike"),
    "negated": _operator("StringNotLike"),
}


@pytest.mark.parametrize("name", list(WIDENINGS))
@given(made=emitted())
@settings(max_examples=15 * SCALE, deadline=None)
def test_a_single_widening_step_is_caught(name: str, made: tuple[str, dict[str, Any], str]) -> None:
    region, document, _ = made
    widened = copy.deepcopy(document)
    WIDENINGS[name](widened)
    results = isolation(scope(widened, regions=(region,)))
    assert [r for r in results if isinstance(r, Violation)], name


@given(documents())
@settings(max_examples=200 * SCALE, deadline=None)
def test_every_counterexample_replays(text: dict[str, Any]) -> None:
    """Both requests of a violation are allowed, and they are about the same object."""
    asked = scope(text)
    for result in isolation(asked):
        if not isinstance(result, Violation):
            continue
        assert result.mine.identity != result.theirs.identity
        for access in (result.mine, result.theirs):
            caller = Caller(access.identity, shape_of("us-east-1"))
            request = caller.request(access.action, access.arn, access.prefix)
            assert decide(request, Applicable(asked.principals[0].documents), Reading.PESSIMISTIC).allowed
            reached = f"{access.arn}/{access.prefix or ''}" if access.listing else access.arn
            assert result.arn.startswith(reached) if access.listing else result.arn == reached


SEGMENTS = st.sampled_from([ME, ME, "us-east-1:1*", "*1", "*", "f", "us-east-1:7f??????-*", f"{ME}*"])
PARTLY = st.lists(SEGMENTS, min_size=2, max_size=3).map(lambda parts: "arn:aws:s3:::bkt/" + "/".join(parts))


@given(st.lists(PARTLY, min_size=2, max_size=2), st.booleans(), st.integers())
@settings(max_examples=70 * SCALE, deadline=None)
def test_where_it_holds_those_whose_ids_a_document_names_in_part_meet_nobody(
    resources: list[str], outside: bool, seed: int
) -> None:
    """Two ids are made to fit what the document says; still they share nothing where the proof says so."""
    statements: list[dict[str, Any]] = [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": resources}]
    if outside:
        statements.append({"Effect": "Deny", "Action": "s3:*", "NotResource": resources[:1]})
    asked = scope({"Version": "2012-10-17", "Statement": statements})
    if isolation(replace(asked, steps=4000)) != []:
        return
    random_ = random.Random(seed)
    granted = Applicable(asked.principals[0].documents)
    for head, tail in product(("1", "7f", "0"), repeat=2):
        one, other = (_with(random_, h, t) for h, t in ((head, "1"), (tail, random_.choice("01"))))
        callers = [Caller(i, shape_of("us-east-1")) for i in (one, other)]
        for size in (2, 3):
            for parts in product((one, other, "f"), repeat=size):
                arn = "arn:aws:s3:::bkt/" + "/".join(parts)
                both = [decide(c.request("s3:GetObject", arn), granted, Reading.PESSIMISTIC).allowed for c in callers]
                assert not all(both), arn


def _with(random_: random.Random, head: str, tail: str) -> str:
    """An identity id whose digits begin and end as given."""
    digits = head + "".join(random_.choice("0123456789abcdef") for _ in range(31 - len(head))) + tail
    return f"us-east-1:{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


@given(documents(), st.randoms(use_true_random=False))
@settings(max_examples=40 * SCALE, deadline=None)
def test_the_verdict_does_not_depend_on_how_it_is_written(text: dict[str, Any], random_: random.Random) -> None:
    """Order of statements, lists split into statements, and the case of actions change nothing."""
    before = bool(isolation(scope(text)))
    shuffled = {**text, "Statement": random_.sample(text["Statement"], len(text["Statement"]))}
    assert bool(isolation(scope(shuffled))) is before
    cased = copy.deepcopy(text)
    for statement in cased["Statement"]:
        for key in ("Action", "NotAction"):
            if key in statement:
                statement[key] = [a.swapcase() for a in statement[key]]
    assert bool(isolation(scope(cased))) is before
    apart: list[dict[str, Any]] = []
    for statement in text["Statement"]:
        if "Action" in statement and "Resource" in statement:
            apart += [
                {**statement, "Action": a, "Resource": r} for a in statement["Action"] for r in statement["Resource"]
            ]
        else:
            apart.append(statement)
    assert bool(isolation(scope({**text, "Statement": apart}))) is before
    parts = [{**text, "Statement": [statement]} for statement in text["Statement"]]
    assert bool(isolation(scope(*parts))) is before


@given(documents())
@settings(max_examples=100 * SCALE, deadline=None)
def test_own_folder_is_stronger_than_isolation_within_a_bucket(text: dict[str, Any]) -> None:
    """Where everything lies in one folder that ends in the own id, nobody meets anybody."""
    asked = scope(text)
    assume(own_folder(asked) == [])
    assert [r for r in isolation(asked) if isinstance(r, Violation)] == []
