"""Trust policies: which of their statements let somebody assume the role.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_terms-and-concepts.html
"""

from __future__ import annotations

from .documents import Statement
from .evaluator import action_matches

ENTRIES = ("sts:AssumeRoleWithWebIdentity", "sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoot")
"""Actions by which somebody assumes a role; `sts:TagSession` and the like only go with one of them."""
TAG_SESSION = "sts:TagSession"
"""The action that a trust policy must allow as well where a session has tags.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_permissions-required
"""


def lets_in(statement: Statement) -> bool:
    """Whether a statement of a trust policy lets anybody assume the role."""
    return any(action_matches(statement, action) for action in ENTRIES)
