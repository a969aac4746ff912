"""The small search, which contradicts no proof; and holes that are planted in the proofs, each of which it finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.policies.pack.engine import ISSUER, ME, allow, document
from tests.scale import SCALE

from . import __main__ as search
from .compare import compare
from .planted import HOLES, planted
from .sets import DocumentSet
from .shape import SHAPES

FOUND: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "planted.yaml").read_text(encoding="utf-8"))


@pytest.mark.random
@pytest.mark.parametrize("chunk", range(10 * SCALE))
def test_nothing_contradicts_the_proofs(chunk: int) -> None:
    said, wrong = search.run(7, 14, chunk)
    assert [defect for _, defect in wrong] == []
    for proof in ("isolation", "own folder", "no escalation"):
        assert said[f"{proof}: holds"] > 5
        assert said[f"{proof}: violated"] > 0
        assert said[f"{proof}: not proven"] + said[f"{proof}: over budget"] < 5


@pytest.mark.parametrize("hole", HOLES)
def test_a_planted_hole_is_found(hole: str) -> None:
    """By the set that shows it; `python -m tests.small_world --planted` searches for such sets."""
    found = dict(FOUND[hole])
    says, shape = found.pop("says"), SHAPES[found.pop("shape")]
    made = DocumentSet(shape, **found)
    assert compare(made).defects == []
    with planted(hole):
        assert compare(made).defects[0] == says


TAG = "${aws:PrincipalTag/t}"


def role(*statements: dict[str, Any], **logins: Any) -> dict[str, Any]:
    return {"documents": [document(list(statements))], **logins}


def listing(condition: dict[str, Any]) -> dict[str, Any]:
    return allow("arn:aws:s3:::bkt", "s3:ListBucket", Condition=condition)


ONCE_WRONG = {
    "a role whose files lie in the user's folder, and one whose files do not": DocumentSet(
        SHAPES[2],
        [
            role(allow("arn:aws:s3:::abc/x")),
            role(allow("arn:aws:s3:::bkt/ab:bb/*", Condition={"StringEquals": {f"{ISSUER}:sub": "ab:aa"}})),
            role(allow(f"arn:aws:s3:::bkt/{ME}/*")),
        ],
    ),
    "the capitals of an ID, which are the value of a tag": DocumentSet(
        SHAPES[2],
        [
            role(
                listing({"StringEqualsIgnoreCase": {"s3:prefix": f"x/{ME}/*", "aws:PrincipalTag/t": "AB:BA"}}),
                logins=[{"provider": "o", "kind": "OIDC", "tags": {"t": "id"}}],
            )
        ],
    ),
    "one value of a tag, which is a user's name for one login and everybody's for another": DocumentSet(
        SHAPES[0],
        [
            role(
                listing({"ForAnyValue:StringLike": {"s3:prefix": f"{TAG}/"}}),
                logins=[
                    {"provider": "p", "kind": "USER_POOL", "tags": {"t": "=x"}},
                    {"provider": "q", "kind": "USER_POOL", "tags": {"t": "name"}},
                ],
            )
        ],
        folders=["bkt/"],
    ),
    "a prefix of an ID in capitals, with wildcards as they stand": DocumentSet(
        SHAPES[0],
        [
            role(listing({"StringLike": {"s3:prefix": f"{ME}/"}})),
            role(
                allow(
                    "arn:aws:s3:::bkt*",
                    "s3:ListBucket",
                    Condition={"StringEqualsIgnoreCase": {"s3:prefix": f"{ME}{ME}/*????"}},
                ),
                {"Effect": "Deny", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b?t"},
            ),
        ],
        focus=["role0"],
    ),
}


@pytest.mark.parametrize("name", ONCE_WRONG)
def test_what_the_search_once_found_wrong(name: str) -> None:
    assert compare(ONCE_WRONG[name]).defects == []
