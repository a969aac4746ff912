"""Identities that overlap: one's last digits may be the first letters of a region's name."""

from __future__ import annotations

import json

import pytest

from policies.identity_scope.proof.isolation import isolation
from policies.identity_scope.proof.results import Violation
from tests.policies.pack.engine import ME, allow, document
from tests.policies.proof.test_properties import scope


def overlapping(region: str, letters: int) -> str:
    """Grants under which the own id ends where another's begins, so many letters into it."""
    rest = "?" * (len(region) + 1 + 36 - letters)
    return json.dumps(document([allow([f"arn:aws:s3:::bkt/{ME}{rest}", f"arn:aws:s3:::bkt/{rest}{ME}"])]))


@pytest.mark.parametrize(
    ("region", "letters", "meets"),
    [
        ("eu-west-1", 0, True),
        ("eu-west-1", 1, True),  # …e + eu-west-1:…
        ("eu-west-1", 2, False),  # u is no digit
        ("af-south-1", 2, True),  # …af + af-south-1:…
        ("af-south-1", 3, False),
        ("ca-central-1", 2, True),
        ("us-east-1", 0, True),
        ("us-east-1", 1, False),
    ],
)
def test_two_ids_that_overlap_meet_where_the_digits_allow_it(region: str, letters: int, meets: bool) -> None:
    found = isolation(scope(overlapping(region, letters), regions=(region,)))
    assert [type(each) for each in found] == ([Violation] if meets else []), found
