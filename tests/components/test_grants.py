"""Every kind of grant with every option that it takes: what is granted is in `tests/golden/documents.json`."""

from __future__ import annotations

from typing import Any

import pytest

from components.scoped_identity.grants import KINDS
from components.scoped_identity.reader import shown
from components.scoped_identity.settings import SettingsError
from tests.components.test_settings import good, parse

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ELSEWHERE = {"region": "eu-central-1", "account": "210987654321"}
GRANTS: list[dict[str, Any]] = [
    {"ownFolder": {"bucket": "albums", "prefix": "a/b/", "access": ["read", "list"], "kmsKey": KEY}},
    {"levels": {"bucket": "levels", "kmsKey": KEY}},
    {"shared": {"bucket": "shop", "prefix": "sale/", "why": "All see it.", "access": ["read", "write"], "kmsKey": KEY}},
    {"shared": {"bucket": "shop", "prefix": "news/", "why": "All see it."}},
    {"api": {"id": "a1b2c3d4e5", "stage": "v2", "methods": ["GET", "PUT"], "paths": ["/x/*", "/y"], **ELSEWHERE}},
    {"graphql": {"id": "2f4ocabc5nhqrlfdoz7example", "fields": ["Query.listNotes", "Mutation.*"], **ELSEWHERE}},
    {"graphql": {"id": "2f4ocabc5nhqrlfdoz7example"}},
    {"ownRows": {"table": "notes", "access": ["read", "write"], "indexes": ["by-date"], **ELSEWHERE}},
    {"ownRows": {"table": "notes"}},
    {"ownTopics": {"prefix": "notes/", **ELSEWHERE}},
    {"ownTopics": {}},
    {"function": {"name": "thumbnail", "qualifier": "live", **ELSEWHERE}},
    {"function": {"name": "thumbnail"}},
    {"statement": {"Sid": "Own", "Effect": "Deny", "NotAction": "s3:Get*", "NotResource": ["arn:aws:s3:::b/*"]}},
]
OPTIONS = [
    (kind, options, option)
    for grant in GRANTS
    for kind, options in grant.items()
    for option in options
    if kind != "statement"  # it is IAM's, not ours: its elements are handed on
]
REQUIRED = {"bucket", "id", "table", "name", "why"}


def refusal(kind: str, options: object) -> str | None:
    try:
        parse(good() | {"authenticated": {"grants": [{kind: options}]}})
    except SettingsError as error:
        return str(error)
    return None


def test_every_kind_is_here() -> None:
    assert {kind for grant in GRANTS for kind in grant} == {shown(kind) for kind in KINDS}


@pytest.mark.parametrize("grant", GRANTS, ids=str)
def test_a_grant_is_taken_as_it_is_and_nothing_in_its_place(grant: dict[str, Any]) -> None:
    ((kind, options),) = grant.items()
    assert refusal(kind, options) is None
    for wrong in (7, [7]):
        assert f"authenticated.grants[0].{kind}" in str(refusal(kind, wrong))
    assert f"authenticated.grants[0].{kind}.odd" in str(refusal(kind, options | {"odd": 1}))


@pytest.mark.parametrize(("kind", "options", "option"), OPTIONS)
def test_an_option_is_refused_where_it_is_wrong(kind: str, options: dict[str, Any], option: str) -> None:
    place = f"authenticated.grants[0].{kind}.{option}"
    for wrong in (7, [7], {"odd": 1}):
        assert place in str(refusal(kind, options | {option: wrong})), wrong
    left = refusal(kind, {key: value for key, value in options.items() if key != option})
    if option in REQUIRED or (kind, option) == ("shared", "prefix"):
        assert place in str(left)
    else:
        assert left is None
