"""Generated inputs for the properties."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.policies.pack.engine import ISSUER, ME

PIECES = st.sampled_from(["bkt", "/", "a", "b", "*", "?", ME, "p/", "x", ":", "${*}"])
KEYS = st.lists(PIECES, min_size=1, max_size=6).map("".join)
RESOURCES = KEYS.map(lambda key: f"arn:aws:s3:::bkt/{key}") | KEYS.map(lambda key: f"arn:aws:s3:::{key}") | st.just("*")
ACTIONS = st.sampled_from(
    ["s3:GetObject", "s3:PutObject", "s3:Get*", "s3:*", "*", "s3:DeleteObject", "s3:?etObject", "s3:ListBucket"]
)
PREFIXES = st.sampled_from([f"{ME}/*", f"p/{ME}/*", "", "*", "a", f"{ME}", "p/", f"{ME}*"])


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    operator = draw(
        st.sampled_from(["StringLike", "StringEquals", "StringNotLike", "StringLikeIfExists", "ForAnyValue:StringLike"])
    )
    return {operator: {"s3:prefix": draw(st.lists(PREFIXES, min_size=1, max_size=2))}}


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    found: dict[str, Any] = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"]))}
    found[draw(st.sampled_from(["Action", "Action", "Action", "NotAction"]))] = draw(
        st.lists(ACTIONS, min_size=1, max_size=2)
    )
    found[draw(st.sampled_from(["Resource", "Resource", "Resource", "NotResource"]))] = draw(
        st.lists(RESOURCES, min_size=1, max_size=2)
    )
    if draw(st.integers(0, 3)) == 0:
        found["Condition"] = draw(conditions())
    return found


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    found: dict[str, Any] = {"Statement": draw(st.lists(statements(), min_size=1, max_size=3))}
    if draw(st.integers(0, 5)):
        found["Version"] = "2012-10-17"
    return found


__all__ = ["ACTIONS", "ISSUER", "KEYS", "documents", "statements"]
