"""Actions that do not exist yet: one for each way in which wildcards speak of one together."""

from __future__ import annotations

import random
from itertools import product

import pytest

from policies.identity_scope.automata.walk import BudgetExceeded
from policies.identity_scope.iam.actions import OBJECT_ACTIONS, exists, future
from policies.identity_scope.iam.documents import Effect, Statement
from policies.identity_scope.iam.evaluator import action_matches


def statement(*actions: str, not_action: bool = False) -> Statement:
    return Statement(0, Effect.ALLOW, actions, ("*",), not_action=not_action)


def test_each_combination_of_statements_that_some_name_has_is_asked_about() -> None:
    """Against every name of up to four letters, of which one is a letter that no pattern spells out."""
    random_ = random.Random(3)
    names = ["s3:" + "".join(letters) for n in range(1, 5) for letters in product("qzv", repeat=n) if "v" in letters]
    combined = 0
    for _ in range(150):
        patterns = [
            "s3:" + "".join(random_.choice("qz*?") for _ in range(random_.randrange(1, 4)))
            for _ in range(random_.randrange(1, 5))
        ]
        statements = [statement(p, not_action=random_.random() < 0.3) for p in patterns]

        def spoken(action: str, of: list[Statement] = statements) -> tuple[bool, ...]:
            return tuple(action_matches(each, action) for each in of)

        found = future(statements)
        assert not any(map(exists, found))
        asked = {spoken(action) for action in (*OBJECT_ACTIONS, *found)}
        assert {spoken(name) for name in names} <= asked, statements
        assert len(asked) >= len(found)
        combined += len(found)
    assert combined > 100


def test_names_alone_grant_no_action_that_does_not_exist() -> None:
    assert future([statement("s3:GetObject", "s3:GetObjekt")]) == ()
    assert future([statement("s3:*", "s3:Get*")]) == ()


def test_too_many_combinations_are_not_looked_at() -> None:
    with pytest.raises(BudgetExceeded):
        future([statement(f"s3:*{letter}*") for letter in "abcdefghijklmnop"])


def test_many_statements_with_wildcards_are_looked_at() -> None:
    """Of other services, of one action each, or alike."""
    others = [statement(f"{service}:*") for service in ("dynamodb", "lambda", "ses", "sqs")]
    verbs = [statement(f"s3:{verb}*") for verb in ("Get", "Put", "Delete", "List", "Restore", "Abort", "Replicate")]
    names = [statement(action) for action in OBJECT_ACTIONS]
    assert future([*others * 10, *verbs * 10, *names]) != ()
    suffixes = [statement(f"s3:*{suffix}") for suffix in ("Object", "Tagging", "Acl", "Version")]
    assert len(future([*others, *verbs, *suffixes])) > 20
