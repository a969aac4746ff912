"""The concrete evaluator, against AWS's documented rules and against an independent simulator."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from policies.identity_scope.iam.conditions import Truth, holds
from policies.identity_scope.iam.documents import Condition, DocumentKind, parse
from policies.identity_scope.iam.evaluator import Applicable, Outcome, Reading, Request, decide
from policies.identity_scope.iam.variables import Missing, Values
from tests.policies.pack.engine import ME, allow, document
from tests.scale import SCALE

HERE = Path(__file__).parent / "differential"
ALICE = "us-east-1:01234567-89ab-4cde-8f01-23456789abcd"


def outcome(request: Request, *statements: dict[str, Any], **more: Any) -> Outcome:
    text = document(statements, more.pop("version", "2012-10-17"))
    reading = more.pop("reading", Reading.PLAIN)
    return decide(request, Applicable((("d", parse(text)),), **more), reading).outcome


def get(key: str, **context: tuple[str, ...]) -> Request:
    own = {"cognito-identity.amazonaws.com:sub": (ALICE,)}
    return Request("s3:GetObject", f"arn:aws:s3:::bkt/{key}", {**own, **context})


def test_an_explicit_deny_wins() -> None:
    deny = {**allow("*"), "Effect": "Deny"}
    assert outcome(get("x"), allow("*"), deny) is Outcome.DENIED
    assert outcome(get("x"), deny, allow("*")) is Outcome.DENIED


def test_nothing_is_allowed_by_default() -> None:
    assert outcome(get("x"), allow("arn:aws:s3:::other/*")) is Outcome.NOT_ALLOWED


def test_the_own_folder_is_the_own() -> None:
    grant = allow(f"arn:aws:s3:::bkt/{ME}/*")
    assert outcome(get(f"{ALICE}/x"), grant) is Outcome.ALLOWED
    assert outcome(get("us-east-1:someone/x"), grant) is Outcome.NOT_ALLOWED
    assert outcome(get(f"{ALICE}/x"), grant, version=None) is Outcome.NOT_ALLOWED


def test_a_boundary_limits_and_grants_nothing() -> None:
    boundary = (("b", parse(document([allow("arn:aws:s3:::bkt/a/*")]))),)
    assert outcome(get("a/x"), allow("*"), boundary=boundary) is Outcome.ALLOWED
    assert outcome(get("b/x"), allow("*"), boundary=boundary) is Outcome.OUTSIDE_BOUNDARY
    assert outcome(get("a/x"), allow("arn:aws:s3:::other/*"), boundary=boundary) is Outcome.NOT_ALLOWED


ROLE = "arn:aws:iam::123456789012:role/r"
PRINCIPALS = [
    ("*", True),
    ({"AWS": "*"}, True),
    ({"AWS": ROLE}, True),
    ({"AWS": "arn:aws:iam::123456789012:root"}, False),
    ({"AWS": "arn:aws:iam::123456789012:role/other"}, False),
]
DENIED = [
    ({"AWS": ROLE}, True),
    ({"AWS": "123456789012"}, True),
    ({"AWS": "arn:aws:iam::123456789012:root"}, True),
    ({"AWS": "arn:aws-us-gov:iam::123456789012:root"}, False),
    ({"AWS": "arn:aws:iam::210987654321:root"}, False),
    ({"AWS": "210987654321"}, False),
]


@pytest.mark.parametrize(("principal", "granted"), PRINCIPALS)
def test_a_bucket_policy_grants_to_whom_it_names(principal: Any, granted: bool) -> None:
    policy = parse(document([{**allow("arn:aws:s3:::bkt/*"), "Principal": principal}]), DocumentKind.RESOURCE)
    request = Request("s3:GetObject", "arn:aws:s3:::bkt/x", principal=(ROLE,))
    assert decide(request, Applicable(resource=(("b", policy),))).allowed is granted


@pytest.mark.parametrize(("principal", "denied"), DENIED)
def test_an_account_is_denied_as_a_whole(principal: Any, denied: bool) -> None:
    statement = {**allow("arn:aws:s3:::bkt/*"), "Effect": "Deny", "Principal": principal}
    policy = parse(document([statement]), DocumentKind.RESOURCE)
    request = Request("s3:GetObject", "arn:aws:s3:::bkt/x", principal=(ROLE,))
    documents = Applicable((("d", parse(document([allow("*")]))),), resource=(("b", policy),))
    assert decide(request, documents).outcome is (Outcome.DENIED if denied else Outcome.ALLOWED)


SESSION = "arn:aws:sts::123456789012:assumed-role/r/CognitoIdentityCredentials"


@pytest.mark.parametrize(
    ("principal", "outcome"),
    [
        ({"AWS": ROLE}, Outcome.OUTSIDE_BOUNDARY),
        ({"AWS": SESSION}, Outcome.ALLOWED),
        ({"AWS": [ROLE, SESSION]}, Outcome.ALLOWED),
        ("*", Outcome.ALLOWED),
    ],
)
def test_a_boundary_limits_what_the_roles_arn_is_granted_and_not_its_sessions(principal: Any, outcome: Outcome) -> None:
    policy = parse(document([{**allow("arn:aws:s3:::bkt/*"), "Principal": principal}]), DocumentKind.RESOURCE)
    boundary = (("boundary", parse(document([allow("arn:aws:s3:::other/*")]))),)
    request = Request("s3:GetObject", "arn:aws:s3:::bkt/x", principal=(ROLE, SESSION))
    assert decide(request, Applicable(boundary=boundary, resource=(("b", policy),))).outcome is outcome


def test_what_aws_leaves_open_has_two_readings() -> None:
    """Whether a star inside a segment spans a colon: a Deny is read narrowly when one is pessimistic."""
    deny = {**allow("arn:aws:s3:::bkt/*/x"), "Effect": "Deny"}
    documents = Applicable((("d", parse(document([allow("*"), deny]))),))
    request = get("a:b/x")
    assert not decide(request, documents, Reading.PLAIN).allowed
    assert decide(request, documents, Reading.PESSIMISTIC).allowed


@pytest.mark.parametrize("element", ["Resource", "NotResource"])
@pytest.mark.parametrize("key", ["aws:PrincipalTag/team", "s3:prefix", "cognito-identity-us-gov.amazonaws.com:sub"])
def test_a_deny_with_a_variable_that_may_have_no_value_takes_nothing_away(element: str, key: str) -> None:
    """AWS may take the statement for invalid; an Allow applies by its other patterns."""
    absent = frozenset({"s3:prefix", "cognito-identity-us-gov.amazonaws.com:sub"})
    asked = replace(get("x"), unknown=True, absent=absent)
    others = ["arn:aws:s3:::bkt/*"] if element == "Resource" else ["arn:aws:s3:::other/*"]

    def denied(variable: str, reading: Reading) -> bool:
        deny = {"Effect": "Deny", "Action": "*", element: [*others, f"arn:aws:s3:::other/{variable}"]}
        return not decide(asked, Applicable((("d", parse(document([allow("*"), deny]))),)), reading).allowed

    assert not denied(f"${{{key}}}", Reading.PESSIMISTIC)
    assert denied(f"${{{key}, 'x'}}", Reading.PESSIMISTIC)
    assert denied("${*}", Reading.PESSIMISTIC)
    allows = [{**allow("arn:aws:s3:::bkt/*"), "Resource": ["arn:aws:s3:::bkt/*", f"arn:aws:s3:::bkt/${{{key}}}"]}]
    assert decide(asked, Applicable((("d", parse(document(allows))),)), Reading.PESSIMISTIC).allowed


def test_a_statement_that_may_apply_hides_none_that_does() -> None:
    """What is said behind it in the same document counts, whichever way it is read."""
    asked = replace(get("x"), unknown=True)
    may = {**allow("*"), "Condition": {"StringEquals": {"aws:PrincipalTag/team": "red"}}}
    assert outcome(asked, may, reading=Reading.PLAIN) is Outcome.NOT_ALLOWED
    assert outcome(asked, may, allow("*"), reading=Reading.PLAIN) is Outcome.ALLOWED
    denies = [{**may, "Effect": "Deny"}, {**allow("*"), "Effect": "Deny"}]
    for reading in Reading:
        assert outcome(asked, allow("*"), *denies, reading=reading) is Outcome.DENIED


@pytest.mark.parametrize(
    ("pattern", "key", "allowed"),
    [
        ("*:x", "a:b:x", False),  # the star ends its segment, so nobody doubts that it spans what it must
        ("a:*x", "a:b:x", True),
        ("a:*x", "a:bx", False),
        ("*", "a:b", False),
    ],
)
def test_a_star_inside_a_segment_of_a_deny_stays_in_it_when_one_is_pessimistic(
    pattern: str, key: str, allowed: bool
) -> None:
    deny = {**allow(f"arn:aws:s3:::bkt/{pattern}"), "Effect": "Deny"}
    documents = Applicable((("d", parse(document([allow("*"), deny]))),))
    assert decide(get(key), documents, Reading.PESSIMISTIC).allowed is allowed


A, U = Missing.ABSENT, Missing.UNKNOWN
CONDITIONS: list[tuple[str, list[str], Values, Truth]] = [
    ("StringEquals", ["a"], ("a",), Truth.YES),
    ("StringEquals", ["A"], ("a",), Truth.NO),
    ("StringEquals", ["a*"], ("ab",), Truth.NO),
    ("StringEquals", ["a"], A, Truth.NO),
    ("StringEquals", ["a"], U, Truth.MAYBE),
    ("StringEquals", ["A"], ("A",), Truth.YES),
    ("StringEquals", [], ("a",), Truth.NO),
    # Several values without ForAnyValue or ForAllValues: AWS does not say.
    ("StringEquals", ["a"], ("a", "b"), Truth.MAYBE),
    ("StringEquals", ["a", "b"], ("a", "b"), Truth.YES),
    ("StringEquals", ["c"], ("a", "b"), Truth.NO),
    ("StringEqualsIgnoreCase", ["A"], ("a",), Truth.YES),
    ("StringNotEquals", ["a"], ("b",), Truth.YES),
    ("StringNotEquals", ["a", "b"], ("b",), Truth.NO),
    ("StringNotEquals", ["a"], A, Truth.YES),
    ("StringLike", ["a*", "b?"], ("bc",), Truth.YES),
    ("StringLike", ["b?"], ("b",), Truth.NO),
    ("StringNotLike", ["a*"], ("ab",), Truth.NO),
    ("StringLikeIfExists", ["a"], A, Truth.YES),
    ("StringLikeIfExists", ["a"], ("b",), Truth.NO),
    ("ForAllValues:StringLike", ["a"], A, Truth.YES),
    ("ForAllValues:StringLike", ["a", "b"], ("a", "b"), Truth.YES),
    ("ForAllValues:StringLike", ["a"], ("a", "b"), Truth.NO),
    ("ForAnyValue:StringLike", ["a"], A, Truth.NO),
    ("ForAnyValue:StringNotEquals", ["a"], A, Truth.NO),
    ("ForAnyValue:StringLike", ["a"], ("b", "a"), Truth.YES),
    ("ForAnyValue:StringLike", ["a"], ("b",), Truth.NO),
    ("ForAnyValue:StringNotEquals", ["a"], ("a", "b"), Truth.YES),
    ("Null", ["true"], A, Truth.YES),
    ("Null", ["false"], A, Truth.NO),
    ("Null", ["false"], ("",), Truth.YES),
    ("Null", ["true"], U, Truth.MAYBE),
    ("NumericLessThan", ["10"], ("9",), Truth.YES),
    ("NumericEquals", ["10"], ("10.0",), Truth.YES),
    ("NumericNotEquals", ["10"], ("10.0",), Truth.NO),
    ("NumericGreaterThanEquals", ["10"], ("9",), Truth.NO),
    ("NumericEquals", ["10"], ("ten",), Truth.MAYBE),
    ("NumericGreaterThanEquals", ["10"], ("10",), Truth.YES),
    ("NumericGreaterThan", ["10"], ("10",), Truth.NO),
    ("NumericGreaterThan", ["10"], ("11",), Truth.YES),
    ("NumericLessThanEquals", ["10"], ("10",), Truth.YES),
    ("NumericLessThanEquals", ["10"], ("11",), Truth.NO),
    ("NumericLessThan", ["10"], ("10",), Truth.NO),
    ("DateEquals", ["2026-01-01T00:00:00Z"], ("2026-01-01T00:00:00Z",), Truth.YES),
    ("DateEquals", ["2026-01-01T00:00:00Z"], ("2026-01-01T01:00:00+01:00",), Truth.YES),
    ("DateEquals", ["2026-01-01"], ("1767225600",), Truth.YES),
    ("DateEquals", ["2026-01-01T00:00:00"], ("2026-01-01T00:00:00Z",), Truth.YES),
    ("DateNotEquals", ["2026-01-01T00:00:00Z"], ("2026-01-01T00:00:00Z",), Truth.NO),
    ("DateLessThan", ["2026-01-01T00:00:00Z"], ("2025-12-31T23:59:59Z",), Truth.YES),
    ("DateGreaterThan", ["2026-01-01T00:00:00Z"], ("1",), Truth.NO),
    ("Bool", ["true"], ("TRUE",), Truth.YES),
    ("Bool", ["true"], ("false",), Truth.NO),
    ("IpAddress", ["10.0.0.0/8"], ("10.1.2.3",), Truth.YES),
    ("IpAddress", ["10.0.0.0/8"], ("11.1.2.3",), Truth.NO),
    ("NotIpAddress", ["10.0.0.0/8"], ("11.1.2.3",), Truth.YES),
    ("NotIpAddress", ["10.0.0.0/8"], ("10.1.2.3",), Truth.NO),
    ("IpAddress", ["10.0.0.0/8"], ("here",), Truth.MAYBE),
    ("IpAddress", ["10.1.2.3/8"], ("10.9.9.9",), Truth.YES),
    ("IpAddress", ["10.1.2.3"], ("10.1.2.3",), Truth.YES),
    ("IpAddress", ["2001:db8::/32"], ("2001:db8::1",), Truth.YES),
    ("ArnLike", ["arn:aws:s3:::b*"], ("arn:aws:s3:::bkt",), Truth.YES),
    ("ArnEquals", ["arn:aws:s3:::b*"], ("arn:aws:s3:::bkt",), Truth.YES),
    ("ArnNotLike", ["arn:aws:s3:::b*"], ("arn:aws:s3:::bkt",), Truth.NO),
    ("ArnLike", ["arn:aws:iam::*:role/*"], ("arn:aws:iam::1:role/a:b",), Truth.YES),
    # Each field of an ARN is compared by itself. What IAM makes of a pattern with fewer fields is not stated.
    ("ArnLike", ["arn:aws:*:role/x"], ("arn:aws:iam::1:role/x",), Truth.MAYBE),
    ("ArnNotLike", ["arn:aws:*:role/x"], ("arn:aws:iam::1:role/x",), Truth.MAYBE),
    ("ArnLike", ["arn:aws:i*:1:role/x:y"], ("arn:aws:iam::1:role/x:y",), Truth.MAYBE),
    ("ArnLike", ["arn:aws:*:1:role/x:y:z"], ("arn:aws:iam::1:role/x:y:z",), Truth.MAYBE),
    ("ArnLike", ["arn:aws:iam??1:role/x"], ("arn:aws:iam::1:role/x",), Truth.MAYBE),
    ("ArnNotEquals", ["arn:aws:iam"], ("arn:aws:iam::1:role/x",), Truth.MAYBE),
    ("ArnNotEquals", ["arn:aws:s3"], ("arn:aws:iam::1:role/x",), Truth.YES),
    # What IAM makes of a value that is no ARN, no boolean or not binary is not stated.
    ("ArnLike", ["us-east-1:*"], ("us-east-1:1",), Truth.MAYBE),
    ("ArnNotEquals", ["us-east-1:1"], ("us-east-1:2",), Truth.MAYBE),
    ("Bool", ["us-east-1:1"], ("us-east-1:1",), Truth.MAYBE),
    ("BinaryEquals", ["QQ=="], ("QQ==",), Truth.MAYBE),
    ("StringEquals", ["${aws:unknown}"], ("x",), Truth.NO),
    ("StringEquals", ["${aws:x, 'd'}"], ("d",), Truth.YES),
    ("StringEquals", ["${aws:x, 'a, b'}"], ("a, b",), Truth.YES),
    ("StringEquals", ["${aws:x, ''}"], ("",), Truth.YES),
    ("StringEquals", ["${aws:x, '}"], ("",), Truth.MAYBE),  # no variable, as far as the documentation goes
    ("StringLike", ["${*}"], ("*",), Truth.YES),
    ("StringLike", ["${*}"], ("x",), Truth.NO),
]


@pytest.mark.parametrize(("written", "values", "found", "truth"), CONDITIONS)
def test_a_condition_operator(written: str, values: list[str], found: Values, truth: Truth) -> None:
    text = document([{**allow("*"), "Condition": {written: {"k": values}}}])
    (condition,) = parse(text).statements[0].conditions
    assert isinstance(condition, Condition)
    assert holds(condition, lambda key: found if key == "k" else Missing.ABSENT, expands=True) is truth


@pytest.mark.parametrize(
    ("written", "value", "found", "truth"),
    [
        ("StringLike", "a/${aws:username}/*", "a/b/c", Truth.MAYBE),
        ("StringLike", "a/${aws:username}/*", "b/b/c", Truth.NO),
        ("StringNotLike", "a/${aws:username}/*", "b/b/c", Truth.YES),
        ("StringNotLike", "a/${aws:username}/*", "a/b/c", Truth.MAYBE),
        ("StringEqualsIgnoreCase", "A/${aws:username}", "a/B", Truth.MAYBE),
        ("StringEqualsIgnoreCase", "A/${aws:username}", "b/B", Truth.NO),
    ],
)
def test_what_is_not_known_of_a_value_matters_only_where_the_rest_fits(
    written: str, value: str, found: str, truth: Truth
) -> None:
    text = document([{**allow("*"), "Condition": {written: {"k": [value]}}}])
    (condition,) = parse(text).statements[0].conditions
    assert holds(condition, lambda key: (found,) if key == "k" else Missing.UNKNOWN, expands=True) is truth


@pytest.mark.parametrize(
    ("operator", "value", "found"),
    [("Bool", True, "true"), ("Bool", False, "false"), ("NumericEquals", 10, "10"), ("StringEquals", 1.5, "1.5")],
)
def test_a_value_that_is_no_text_is_compared_as_its_text(operator: str, value: Any, found: str) -> None:
    text = document([{**allow("*"), "Condition": {operator: {"k": value}}}])
    (condition,) = parse(text).statements[0].conditions
    assert condition.values == (found,)
    assert holds(condition, lambda _: (found,), expands=True) is Truth.YES


def test_a_decision_names_what_decided() -> None:
    deny = {**allow("arn:aws:s3:::bkt/b*"), "Effect": "Deny"}
    documents = (("grants", parse(document([allow("*", "iam:*"), allow("*")]))), ("denies", parse(document([deny]))))
    boundary = (("boundary", parse(document([allow("arn:aws:s3:::bkt/a*"), deny]))),)
    decided = {
        key: decide(get(key), Applicable(documents, boundary if limited else None))
        for key, limited in (("a", False), ("bb", False), ("c", True))
    }
    named = {key: (d.outcome, d.document, d.statement and d.statement.index) for key, d in decided.items()}
    assert named == {
        "a": (Outcome.ALLOWED, "grants", 1),
        "bb": (Outcome.DENIED, "denies", 0),
        "c": (Outcome.OUTSIDE_BOUNDARY, "grants", 1),
    }
    nothing = decide(get("a"), Applicable())
    assert (nothing.outcome, nothing.document, nothing.statement) == (Outcome.NOT_ALLOWED, None, None)


def test_a_date_without_a_zone_is_utc_wherever_the_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        test_a_condition_operator("DateEquals", ["2026-01-01T00:00:00"], ("2026-01-01T00:00:00Z",), Truth.YES)
    finally:
        monkeypatch.undo()
        time.tzset()


ACTIONS = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"]
# A request for the literal key `*` is left out: the simulator takes it for a question about many resources.
KEYS = ["a", "a/x", f"{ALICE}/x", f"p/{ALICE}/x", "b/a", "x:y"]
TAG = "${aws:PrincipalTag/id}"
"""A variable whose key the simulator takes for every request; it leaves the identity service's own keys out."""
PATTERNS = ["*", "bkt/*", "bkt/a", "bkt/a*", "bkt/?", f"bkt/{TAG}/*", f"bkt/*/{TAG}/*", "bkt", "bkt/${*}", "b*"]
PREFIX = [None, "", "a", f"{ALICE}/", "p/"]


def generated(random_: random.Random) -> tuple[Request, list[dict[str, Any]], dict[str, Any] | None, str | None]:
    action = random_.choice(ACTIONS)
    listing = action == "s3:ListBucket"
    context = {"aws:principaltag/id": (ALICE,)}
    prefix = random_.choice(PREFIX) if listing else None
    if prefix is not None:
        context["s3:prefix"] = (prefix,)
    resource = "arn:aws:s3:::bkt" if listing else f"arn:aws:s3:::bkt/{random_.choice(KEYS)}"

    def statement() -> dict[str, Any]:
        found: dict[str, Any] = {"Effect": random_.choice(["Allow", "Allow", "Deny"])}
        found[random_.choice(["Action", "Action", "NotAction"])] = random_.sample([*ACTIONS, "s3:*", "s3:Get*"], 2)
        chosen = [p if p == "*" else f"arn:aws:s3:::{p}" for p in random_.sample(PATTERNS, 2)]
        found[random_.choice(["Resource", "Resource", "NotResource"])] = chosen
        if random_.random() < 0.4:
            operator = random_.choice(
                ["StringLike", "StringNotLike", "StringEquals", "StringLikeIfExists", "StringNotEquals", "Null"]
            )
            value: Any = "true" if operator == "Null" else random_.sample(["", "a*", f"{TAG}/*", "p/", f"{TAG}/"], 2)
            found["Condition"] = {operator: {"s3:prefix": value}}
        return found

    documents = [
        document(
            [statement() for _ in range(random_.randint(1, 3))], random_.choice(["2012-10-17", "2012-10-17", None])
        )
        for _ in range(random_.randint(1, 2))
    ]
    boundary = document([statement()]) if random_.random() < 0.3 else None
    return Request(action, resource, context), documents, boundary, prefix


def literal_variables(documents: list[dict[str, Any]]) -> bool:
    """A document without Version 2012-10-17 that writes `${…}`."""
    return any("Version" not in d and "${" in json.dumps(d) for d in documents)


DISAGREEMENTS = [
    (
        literal_variables,
        "without Version 2012-10-17 `${…}` is literal text; the simulator expands variables under every version",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html",
    ),
]
"""Kinds of cases in which the simulator says otherwise, each with the reason and AWS's page."""


CASES = 3000 * SCALE


def simulator() -> list[str]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("Node.js is not on this machine; the independent simulator is an npm package")
    if not (HERE / "node_modules").exists():
        done = subprocess.run(
            [npm, "ci", "--silent", "--ignore-scripts"],
            cwd=HERE,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode:
            pytest.skip("the independent simulator could not be installed from npm")
    return [node, str(HERE / "simulate.mjs")]


@pytest.mark.long
@pytest.mark.process
@pytest.mark.random
def test_the_evaluator_agrees_with_an_independent_simulator() -> None:
    """Thousands of generated cases: decide(r, d).allowed == (simulator says Allowed)."""
    command = simulator()
    random_ = random.Random(20261123)
    generated_cases = [generated(random_) for _ in range(CASES)]
    lines = []
    for request, documents, boundary, _ in generated_cases:
        simulation: dict[str, Any] = {
            "request": {
                "principal": "arn:aws:sts::123456789012:assumed-role/r/CognitoIdentityCredentials",
                "action": request.action,
                "resource": {"resource": request.resource, "accountId": "123456789012"},
                "contextVariables": {
                    key.replace("principaltag", "PrincipalTag"): value[0]
                    for key, value in request.context.items()
                    if isinstance(value, tuple)
                },
            },
            "identityPolicies": [{"name": f"p{i}", "policy": d} for i, d in enumerate(documents)],
            "serviceControlPolicies": [],
            "resourceControlPolicies": [],
        }
        if boundary is not None:
            simulation["permissionBoundaryPolicies"] = [{"name": "b", "policy": boundary}]
        lines.append(json.dumps(simulation))
    done = subprocess.run(
        command, input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=300, check=True
    )
    answers = done.stdout.splitlines()
    assert len(answers) == len(lines)
    different: list[str] = []
    for (request, documents, boundary, _), answer, line in zip(generated_cases, answers, lines, strict=True):
        assert not answer.startswith("error"), (answer, line)
        limits = None if boundary is None else (("b", parse(boundary)),)
        ours = decide(request, Applicable(tuple((f"p{i}", parse(d)) for i, d in enumerate(documents)), limits))
        if ours.allowed is not (answer == "Allowed") and not any(kind(documents) for kind, _, _ in DISAGREEMENTS):
            different.append(f"{ours.outcome} {answer} {line}")
    assert different == []
    assert set(answers) == {"Allowed", "ImplicitlyDenied", "ExplicitlyDenied"}
