"""Hostile input: bounded work, no exception, never a pass by accident."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.identity_scope.iam.documents import MAX_DEPTH, Document, DocumentError, DocumentKind, parse
from sandbox.engine.policy_pack import Analyzer
from tests.conftest import ROOT
from tests.policies.pack.engine import ME, POOL, STACK, allow, ask, document, policy, resource, role, told
from tests.scale import SCALE


@pytest.fixture(scope="module")
def pack() -> Iterator[Analyzer]:
    with Analyzer(ROOT / "policies") as running:
        yield running


HOSTILE = {
    "hundreds of stars": allow("arn:aws:s3:::bkt/" + "*a" * 300),
    "stars and question marks": allow("arn:aws:s3:::bkt/" + "*a?b??" * 120),
    "hundreds of resources": allow([f"arn:aws:s3:::bkt/*{i}*/{ME}/*" for i in range(250)]),
    "a long literal": allow("arn:aws:s3:::bkt/" + "x" * 10_000),
    "the id a hundred times": allow("arn:aws:s3:::bkt/" + f"{ME}*" * 100),
    "odd letters": allow("arn:aws:s3:::bkt/\u0000\u202e\ud83d\ude00\uffff*"),
    "thousands of actions": allow("arn:aws:s3:::bkt/*", [f"s3:Get{i}*" for i in range(1500)]),
}


def _nested(levels: int, made: type) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = {"a": value} if made is dict else [value]
    return value


@pytest.mark.parametrize("made", [dict, list])
@pytest.mark.parametrize("as_text", [True, False])
@pytest.mark.parametrize("levels", [MAX_DEPTH - 2, MAX_DEPTH - 1, 15_000])
def test_a_deep_document_is_refused_as_such(levels: int, as_text: bool, made: type) -> None:
    """The object around it and the text inside are a level each."""
    if as_text:
        around = '{"a": ' * (levels + 1) if made is dict else '{"a": ' + "[" * levels
        source: Any = around + '"x"' + ("}" * (levels + 1) if made is dict else "]" * levels + "}")
    else:
        source = {"a": _nested(levels, made)}
    with pytest.raises(DocumentError) as refused:
        parse(source)
    too_deep = str(refused.value) == "the document is nested too deeply"
    assert too_deep is (levels + 2 > MAX_DEPTH)


def test_what_json_cannot_hold_is_refused() -> None:
    with pytest.raises(DocumentError) as refused:
        parse({"Statement": {"Sid": {1, 2}}})
    assert str(refused.value) == "the document contains a value that is not JSON"


def test_a_role_is_meant_by_a_number_and_not_by_a_list(pack: Analyzer) -> None:
    """As the provider reads it: a number becomes a text, and a list or an object is refused there."""
    leak = json.dumps(document([allow("arn:aws:s3:::bkt/*")]))
    vending = {"identityPoolId": POOL, "roles": {"authenticated": "arn:aws:iam::123456789012:role/12345"}}
    attachment = resource("aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment", "vending", vending)

    def said(meant: Any) -> list[tuple[str, str]]:
        inputs = {"role": meant, "name": "access", "policy": leak}
        return told(ask(pack, [role("12345"), attachment, resource("aws:iam/rolePolicy:RolePolicy", "access", inputs)]))

    assert "s3-isolated-by-identity" in dict(said(12345))
    assert said(12345) == said("12345")
    for meant in (["12345"], {"name": "12345"}):
        assert "not proven" in dict(said(meant))["s3-isolated-by-identity"]


LONG = {"hundreds of stars", "stars and question marks", "hundreds of resources"}


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.long) if n in LONG else n for n in HOSTILE])
def test_a_hostile_allow_is_violated_or_not_proven(pack: Analyzer, name: str) -> None:
    said = told(ask(pack, [role(), policy(document([HOSTILE[name]]))]))
    assert {"s3-isolated-by-identity", "s3-own-folder"} & {rule for rule, _ in said}
    assert not any("please report it" in text for _, text in said)


@pytest.mark.long
def test_hostile_denies_end_in_not_proven_within_a_number_of_steps(pack: Analyzer) -> None:
    granted, kept = (f"arn:aws:s3:::bkt/{stars * 60}{ME}{'*a?b??' * 60}/x" for stars in ("*a?b??", "*b?a??"))
    guard = {"Effect": "Deny", "Action": "s3:*", "NotResource": kept}
    text = document([allow(granted), guard])
    said = dict(told(ask(pack, [role(), policy(text)])))
    assert "not decided within 50000 steps" in said["s3-isolated-by-identity"]


@pytest.mark.parametrize("text", ["\\ud800", "\\udfff\\ud800"])
def test_a_lone_surrogate_is_a_finding(pack: Analyzer, text: str) -> None:
    broken = json.dumps(document([allow("arn:aws:s3:::bkt/X")])).replace("X", text)
    said = dict(told(ask(pack, [role(), policy(broken)])))
    assert "half of a surrogate pair" in said["s3-isolated-by-identity"]


def test_a_secret_of_an_analyzed_state_is_a_finding(pack: Analyzer) -> None:
    said = dict(told(ask(pack, [role(), policy("[secret]")])))
    assert "secret, cannot be read here" in said["s3-isolated-by-identity"]


@pytest.mark.parametrize(
    "hidden", ["\x1b[2K", "\r", "\n[mandatory] all is well", "\u202e", "\u200b", "\u2028", "\x9b", "\u3164"]
)
def test_what_moves_the_cursor_or_hides_is_escaped(pack: Analyzer, hidden: str) -> None:
    statement = {**allow(f"arn:aws:s3:::bkt/{hidden}*"), "Sid": f"a{hidden}b"}
    for found in ask(pack, [role(), policy(document([statement]), called=f"access{hidden}")]):
        assert hidden not in found.text
        assert f"\\u{ord(hidden[0]):04x}" in found.text


def read(text: str, kind: DocumentKind = DocumentKind.IDENTITY) -> Document | str:
    """A document, or what is wrong with it in words; anything else escapes."""
    try:
        return parse(text, kind)
    except DocumentError as error:
        return str(error)


VALUES: list[Any] = [None, True, 0, -1.5, "", "x", [], [[]], {}, {"a": {}}, [None], "\u0000", 10**30]


@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize(
    "place", ["document", "Version", "Id", "Statement", "Sid", "Effect", "Action", "Resource", "Condition"]
)
def test_every_wrong_type_is_a_finding_or_a_document(place: str, value: Any) -> None:
    text: Any = document([allow("*")])
    if place == "document":
        text = value
    elif place in ("Version", "Id", "Statement"):
        text[place] = value
    else:
        text["Statement"][0][place] = value
    assert read(json.dumps(text))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=10,
)


@given(st.text(max_size=40) | JSON.map(json.dumps), st.sampled_from(list(DocumentKind)))
@settings(max_examples=400 * SCALE)
def test_any_text_is_a_document_or_an_error_with_words(text: str, kind: DocumentKind) -> None:
    assert read(text, kind)


def test_deep_nesting_is_refused() -> None:
    for text in ("[" * 100_000, '{"a":' * 5_000 + "1" + "}" * 5_000):
        with pytest.raises(DocumentError):
            parse(text)


WRONG_PROPS: list[Any] = [None, True, 7, "x", [], ["x"], [None], [{}], {}, {"a": None}]


@pytest.mark.parametrize(
    "kind",
    [
        "aws:iam/role:Role",
        "aws:iam/rolePolicy:RolePolicy",
        "aws:iam/policy:Policy",
        "aws:iam/policyAttachment:PolicyAttachment",
        "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive",
        "aws:cognito/identityPool:IdentityPool",
        "aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment",
        "aws:cognito/userGroup:UserGroup",
        "aws:s3/bucketPolicy:BucketPolicy",
        "aws-native:iam:Role",
        "aws-native:iam:ManagedPolicy",
    ],
)
def test_properties_of_wrong_types_never_break_the_pack(pack: Analyzer, kind: str) -> None:
    keys = [
        *("name", "assumeRolePolicy", "inlinePolicies", "managedPolicyArns", "permissionsBoundary", "role", "roles"),
        *("policy", "policyArn", "policyArns", "roleName", "identityPoolId", "roleMappings", "roleArn", "bucket"),
        *("cognitoIdentityProviders", "allowClassicFlow", "assumeRolePolicyDocument", "policies", "policyDocument"),
    ]
    pack.configure({})
    pack.analyze(STACK)
    for value in WRONG_PROPS:
        wrong = resource(kind, "wrong", dict.fromkeys(keys, value))
        said = told(pack.analyze(wrong)) + told(pack.analyze_stack([(wrong, wrong.wire)]))
        assert not any("please report it" in text for _, text in said), (value, said)
