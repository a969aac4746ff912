"""Whom a bucket policy's statement names: a vended role, its sessions, everyone, or somebody else.

A role is named by its ARN; its sessions by the ARN of an assumed role or by the identity service that they were issued by;
an account, as a principal, only delegates to that account's own policies, so in an Allow it grants nothing.

An Allow for everyone that needs what only roles, or sessions of identity pools, have, is one for these.

INVARIANT (widening). An Allow that may name the role does; a Deny that may name somebody else does not.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

from .callers import PRINCIPAL_ARN, USER_ID, made_by
from .claims import TAG_KEY
from .conditions import Truth, holds, negates
from .documents import Condition, Principals, Statement
from .variables import Lookup, Missing, Values, Variable, arn_template, concretise, template

_ROLE_ID = re.compile(r"AROA[A-Z0-9]+")
"""A role's unique ID, by which a policy can name it as well.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
"""
_PARTITION = re.compile(r"arn:([a-z-]+):")
_ACCOUNT = re.compile(r"\b\d{12}\b")
SESSION_NAME = "CognitoIdentityCredentials"
"""The name of every session that an identity pool makes."""


class Grantee(Enum):
    """Whom an Allow names, as far as a vended role is concerned."""

    ROLE = "the role"
    """By the role's ARN: the permissions boundary limits what it grants."""
    SESSION = "its sessions"
    """By the session: the permissions boundary does not limit what it grants."""
    EVERYONE = "everyone"


def grantee(statement: Statement, arns: tuple[str, ...], issuers: frozenset[str]) -> Grantee | None:
    """Whom an Allow names: the widest that it does; None where it grants the role nothing.

    Args:
        statement: with all of its conditions.
        arns: the role's ARN, where it is known, and `:role/NAME`.
        issuers: the issuers of identity pools.
    """
    principals = statement.principals
    if principals is None:
        return Grantee.SESSION
    if is_for_everyone(statement, issuers):
        return Grantee.EVERYONE
    if names_everyone(principals):
        return Grantee.SESSION if made_by(statement, arns, False) is not None else None
    if any(_is_session(kind, value, arns, issuers) for kind, value in principals.entries):
        return Grantee.SESSION
    if any(
        kind == "AWS" and (_may_be(value, arns, ":role/") or _ROLE_ID.fullmatch(value))
        for kind, value in principals.entries
    ):
        return Grantee.ROLE
    return None


def names_everyone(principals: Principals | None) -> bool:
    """Whether an Allow has everyone as its principal; everyone but those that are named is nearly everyone."""
    return principals is not None and (principals.negated or ("AWS", "*") in principals.entries)


def is_for_everyone(statement: Statement, issuers: frozenset[str]) -> bool:
    """Whether an Allow is for everyone, and not for roles or sessions all the same."""
    return names_everyone(statement.principals) and not _is_for_roles(statement, issuers)


def _is_for_roles(statement: Statement, issuers: frozenset[str]) -> bool:
    """Whether nobody meets an Allow for everyone but roles, sessions of identity pools, or principals with tags: by a
    condition, or because each of its resources has a variable that only these have.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    keys = {f"{issuer}:{key}" for issuer in issuers for key in ("sub", "aud", "amr")}

    def lookup(key: str) -> Values:
        return Missing.ABSENT if key in keys or key.startswith(TAG_KEY) else Missing.UNKNOWN

    if any(_names_issuer(condition, issuers, statement.expands) for condition in statement.conditions):
        return True
    if any(_is_unmet(condition, lookup, statement.expands) for condition in statement.conditions):
        return True
    templates = [arn_template(text, statement.expands) for text in statement.resources]
    return not statement.not_resource and all(
        concretise(each, lookup, widen=True).pattern is None for each in templates
    )


def _names_issuer(condition: Condition, issuers: frozenset[str], expands: bool) -> bool:
    """Whether a condition lets in whoever signed in through identity pools, and nobody who did not sign in."""
    if condition.key != "aws:federatedprovider" or holds(condition, _nothing, expands) is not Truth.NO:
        return False
    return any(
        holds(condition, _with(_nothing, condition.key, (issuer,)), expands) is not Truth.NO for issuer in issuers
    )


def _nothing(_: str) -> Values:
    return Missing.ABSENT


def _is_unmet(condition: Condition, lookup: Lookup, expands: bool) -> bool:
    """Whether nobody but roles, sessions of identity pools, or principals with tags meets a condition."""
    if condition.key in (PRINCIPAL_ARN, USER_ID):
        return all(
            holds(condition, _with(lookup, condition.key, each), expands) is Truth.NO for each in _others(condition)
        )
    if lookup(condition.key) is Missing.ABSENT:
        return holds(condition, lookup, expands) is Truth.NO
    if condition.if_exists or condition.qualifier == "ForAllValues" or negates(condition.operator) or not expands:
        return False
    values = [template(value, True) for value in condition.values]
    absent = [
        any(isinstance(p, Variable) and p.default is None and lookup(p.key) is Missing.ABSENT for p in v)
        for v in values
    ]
    return condition.operator.startswith(("String", "Arn")) and all(absent)


def _with(lookup: Lookup, name: str, values: Values) -> Lookup:
    return lambda key: values if key == name else lookup(key)


def _others(condition: Condition) -> Iterator[Values]:
    """The ARNs or IDs of principals that are no roles, in the accounts that a condition names and in another one, and none.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-infotouse
    """
    if condition.key == USER_ID:
        named = [value.replace("*", "A").replace("?", "A") for value in condition.values]
        others = [value for value in named if not _ROLE_ID.match(value) and ":" not in value]
        yield from ((each,) for each in ("anonymous", "AIDAAAAAAAAAAAAAAAAAA", "000000000000", *others))
        return
    yield Missing.ABSENT
    text = " ".join(condition.values)
    for partition in {"aws", *_PARTITION.findall(text)}:
        for account in {"000000000000", *_ACCOUNT.findall(text)}:
            yield from ((f"arn:{partition}:iam::{account}:{name}",) for name in ("user/x", "root"))


def is_denied(principals: Principals | None, arns: tuple[str, ...]) -> bool:
    """Whether a Deny certainly speaks of the role: by its ARN, its account or the sessions that a pool makes."""
    if principals is None:
        return True
    if principals.negated:
        return False
    return any(kind == "AWS" and value in _certain(arns) for kind, value in principals.entries)


def denies_everyone(principals: Principals | None) -> bool:
    return principals is not None and not principals.negated and ("AWS", "*") in principals.entries


def delegates(principals: Principals | None) -> bool:
    """Whether an Allow may name an account, whose own policies then decide."""
    return principals is not None and any(
        kind == "AWS" and (value.isdigit() or value.endswith(":root")) for kind, value in principals.entries
    )


def _is_session(kind: str, value: str, arns: tuple[str, ...], issuers: frozenset[str]) -> bool:
    if kind == "Federated":
        return value in issuers or value == "*"
    return kind == "AWS" and ":assumed-role/" in value and _may_be(value.rpartition("/")[0], arns, ":assumed-role/")


def _may_be(value: str, arns: tuple[str, ...], kind: str) -> bool:
    """Whether an ARN may be the role's: it has the role's name, and its account where that is known."""
    if kind not in value:
        return False
    full = [arn for arn in arns if arn.startswith("arn:")]
    account = value.split(":")[4:5]
    return any(_name(arn) == _name(value) and account == arn.split(":")[4:5] for arn in full) or (
        not full and any(_name(arn) == _name(value) for arn in arns)
    )


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _certain(arns: tuple[str, ...]) -> frozenset[str]:
    """Every way to name a role whose ARN is known that cannot mean anybody else."""
    found = {"*"}
    for arn in arns:
        fields = arn.split(":")
        if len(fields) > 5:
            partition, account = fields[1], fields[4]
            session = f"arn:{partition}:sts::{account}:assumed-role/{_name(arn)}/{SESSION_NAME}"
            found |= {arn, account, f"arn:{partition}:iam::{account}:root", session}
    return frozenset(found)
