"""Session tags: the claims that an identity pool passes to AWS STS, by the tag map of each provider.

A claim that the token does not have becomes no tag. STS refuses the whole call if a tag is invalid, and the user gets no
credentials.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/attributes-for-access-control.html
        https://docs.aws.amazon.com/STS/latest/APIReference/API_Tag.html
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from .errors import misconfigured
from .role_mapping import claim_text
from .tokens import VerifiedToken

DEFAULTS = {"username": "sub", "client": "aud"}
"""The default mappings of AWS."""
MAX_TAGS, MAX_KEY, MAX_VALUE = 50, 128, 256

Tag = tuple[str, str]


def of(maps: Mapping[str, Mapping[str, Any]], logins: Sequence[VerifiedToken]) -> tuple[Tag, ...]:
    """The tags of a session.

    Args:
        maps: the tag map of each provider, by its name.

    Raises:
        AwsError: InvalidIdentityPoolConfigurationException, because STS refuses a tag.
    """
    tags: dict[str, Tag] = {}
    for login in logins:
        own = _of_login(maps.get(login.provider) or {}, login)
        if len({key.lower() for key, _ in own}) != len(own):
            raise misconfigured()  # upper and lower case make no difference in a tag key
        tags.update({key.lower(): (key, value) for key, value in own})
    if len(tags) > MAX_TAGS or not all(_is_valid(key, value) for key, value in tags.values()):
        raise misconfigured()
    return tuple(tags.values())


def principal_tags(role: Mapping[str, str], session: Sequence[Tag]) -> dict[str, tuple[str, ...]]:
    """The condition keys of a session's tags: those of its role, and its own, which override them.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_know
    """
    tags = {key.lower(): value for key, value in (*role.items(), *session)}
    return {f"aws:principaltag/{key}": (value,) for key, value in tags.items()}


def _of_login(tag_map: Mapping[str, Any], login: VerifiedToken) -> list[Tag]:
    names = DEFAULTS if tag_map.get("UseDefaults") else tag_map.get("PrincipalTags") or {}
    return [(tag, claim_text(login.claims[claim])) for tag, claim in names.items() if claim in login.claims]


def _is_valid(key: str, value: str) -> bool:
    if not 1 <= len(key) <= MAX_KEY or len(value) > MAX_VALUE or key.lower().startswith("aws:"):
        return False
    return all(letter in "_.:/=+-@" or unicodedata.category(letter)[0] in "LZN" for letter in key + value)
