"""Conditions on who makes a request, which a vended role's own ARN decides, and that there is nobody where there is none.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .conditions import Truth, holds, negates
from .documents import Condition, Effect, Statement
from .variables import Missing, Values

PRINCIPAL_ARN, USER_ID, _ACCOUNT = "aws:principalarn", "aws:userid", "aws:principalaccount"
_TAG = "aws:principaltag/"
_KEYS = frozenset(
    {
        PRINCIPAL_ARN,
        _ACCOUNT,
        "aws:principaltype",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:username",
        USER_ID,
    }
)


def settled(statement: Statement, decide: Callable[[Condition], Truth]) -> Statement | None:
    """A statement without the conditions that hold; None where one of them does not.

    A Deny keeps those that compare with a variable, which it depends on.
    """
    kept: list[Condition] = []
    for condition in statement.conditions:
        truth = decide(condition)
        if truth is Truth.NO:
            return None
        compares = statement.effect is Effect.DENY and any("${" in value for value in condition.values)
        if truth is Truth.MAYBE or compares:
            kept.append(condition)
    return statement if len(kept) == len(statement.conditions) else replace(statement, conditions=tuple(kept))


def made_by(statement: Statement, arns: tuple[str, ...], anonymous: bool) -> Statement | None:
    """A statement for the requests of a role's sessions, or `anonymous` ones; None where it never applies to them.

    Args:
        arns: the role's ARN, where it is known, and `:role/NAME`.
    """
    if not any(_is_of_caller(condition.key) for condition in statement.conditions):
        return statement
    full = [arn for arn in arns if arn.startswith("arn:")]

    def lookup(key: str) -> Values:
        if anonymous:
            value = {"aws:principaltype": "Anonymous", USER_ID: "anonymous"}.get(key)
            return (value,) if value else Missing.ABSENT
        known = {"aws:principaltype": "AssumedRole"}
        if len(full) == 1:
            known |= {PRINCIPAL_ARN: full[0], _ACCOUNT: full[0].split(":")[4]}
        return (known[key],) if key in known else Missing.UNKNOWN

    def decide(condition: Condition) -> Truth:
        if not _is_of_caller(condition.key):
            return Truth.MAYBE
        if condition.key == PRINCIPAL_ARN and not anonymous and len(full) != 1 and _names_others(condition, arns):
            return Truth.of(negates(condition.operator))
        return holds(condition, lambda key: lookup(key) if _is_of_caller(key) else Missing.UNKNOWN, statement.expands)

    return settled(statement, decide)


def _is_of_caller(key: str) -> bool:
    return key in _KEYS or key.startswith(_TAG)


def _names_others(condition: Condition, arns: tuple[str, ...]) -> bool:
    """Whether a condition names ARNs of other names than the role's only."""
    names = {arn.rpartition("/")[2] for arn in arns}
    fold = "IgnoreCase" in condition.operator
    names = {name.lower() for name in names} if fold else names
    ends = [value.rpartition("/")[2] for value in condition.values]
    return (
        bool(names)
        and condition.operator.startswith(("String", "Arn"))
        and all(not set(end) & set("*?$") and (end.lower() if fold else end) not in names for end in ends)
    )
