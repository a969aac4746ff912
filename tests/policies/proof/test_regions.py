"""Where a pool's region is not known, every region that documents tell from others is asked about."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from policies.identity_scope.automata.globs import Pattern, matches
from policies.identity_scope.iam.documents import parse
from policies.identity_scope.iam.issuers import DEFAULT_REGION, REGIONS
from policies.identity_scope.iam.variables import Variable, template
from policies.identity_scope.inventory.principal import Principal
from policies.identity_scope.proof.dead_grants import dead_grants
from policies.identity_scope.proof.isolation import isolation
from policies.identity_scope.proof.regions import by_length, told_apart
from policies.identity_scope.proof.results import Violation
from policies.identity_scope.proof.scope import Scope
from tests.policies.pack.engine import ISSUER, ME, allow, document
from tests.scale import SCALE

UUID = "0a1b2c3d-e4f5-4a6b-8c7d-9e0f1a2b3c4d"
ABSENT = "cognito-identity-us-gov.amazonaws.com:sub"


def only(operator: str, value: str) -> dict[str, Any]:
    return {"Condition": {operator: {f"{ISSUER}:sub": value}}}


def scope(*statements: dict[str, Any]) -> Scope:
    text = parse(json.dumps(document([allow(f"arn:aws:s3:::bkt/{ME}/*"), *statements])))
    return Scope((Principal("role", (("access", text),), urn="role"),))


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("StringEquals", f"us-west-2:{UUID}"),
        ("StringEqualsIgnoreCase", f"US-WEST-2:{UUID}"),
        ("StringEquals", f"us-wes${{{ABSENT}, 't-2:{UUID}'}}"),
        ("StringLike", "us-w*4d"),
        ("StringLike", "*2:0a*"),
        ("StringLike", "*-southeast-*4d"),
        ("StringLike", "a*4d"),
        ("StringLike", "s?-*4d"),
    ],
)
def test_a_condition_may_name_a_part_of_another_region(operator: str, value: str) -> None:
    asked = scope(allow("arn:aws:s3:::bkt/*", **only(operator, value)))
    assert [type(each) for each in isolation(asked)] == [Violation]
    assert dead_grants(asked) == []


@pytest.mark.parametrize("key", ["us-w*", "us-west-2:*", "*st-2:0a*", "ap-????heast-2:*"])
def test_what_one_who_is_named_reaches_may_be_other_users_of_another_region(key: str) -> None:
    asked = scope(allow(f"arn:aws:s3:::bkt/{key}", **only("StringLike", "*4d")))
    shown = [each for each in isolation(asked) if isinstance(each, Violation)]
    assert shown


def test_a_prefix_may_be_a_part_of_another_region() -> None:
    test = {"StringEquals": {"s3:prefix": "us-w"}, "StringLike": {f"{ISSUER}:sub": "*4d"}}
    asked = scope(allow("arn:aws:s3:::bkt", "s3:ListBucket", Condition=test))
    assert "us-west-1" in [shape.region for shape in asked.shapes()]


def test_usual_documents_tell_no_region_apart() -> None:
    usual = [f"arn:aws:s3:::notes-prod/{ME}/*", "arn:aws:s3:::notes/public/*", "arn:aws:s3:::notes", "*", f"{ME}/*"]
    assert told_apart(usual) == []


def glob(text: str) -> Pattern:
    return tuple(part for part in template(text, expands=True) if not isinstance(part, Variable))


@pytest.mark.random
def test_a_pattern_that_matches_an_id_of_any_region_matches_one_of_a_region_that_is_asked_about() -> None:
    random_ = random.Random(7)
    for number in range(400 * SCALE):
        identity, text = f"{random_.choice(REGIONS)}:{UUID}", ""
        at = 0
        while at < len(identity):
            kind = random_.random()
            if kind < 0.3:
                text, step = f"{text}*", random_.randrange(9)
            elif kind < 0.45 and number % 2:
                text, step = f"{text}?", 1
            else:
                step = random_.randrange(1, 6)
                text += identity[at : at + step]
            at += step
        asked = (DEFAULT_REGION, *told_apart([text]), *(by_length() if "?" in text else ()))
        possible = any(matches(glob(text), f"{region}:{UUID}") for region in REGIONS)
        assert any(matches(glob(text), f"{region}:{UUID}") for region in asked) or not possible, text
