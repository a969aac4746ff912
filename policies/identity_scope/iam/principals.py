"""Whom a bucket policy's statement names: a vended role, its sessions, everyone, or somebody else.

A role is named by its ARN; its sessions by the ARN of an assumed role or by the identity service that they were issued by;
an account, as a principal, only delegates to that account's own policies, so in an Allow it grants nothing.

INVARIANT (widening). An Allow that may name the role does; a Deny that may name somebody else does not.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import re
from enum import Enum

from .documents import Principals

_ROLE_ID = re.compile(r"AROA[A-Z0-9]+")
"""A role's unique ID, by which a policy can name it as well.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
"""
SESSION_NAME = "CognitoIdentityCredentials"
"""The name of every session that an identity pool makes."""


class Grantee(Enum):
    """Whom an Allow names, as far as a vended role is concerned."""

    ROLE = "the role"
    """By the role's ARN: the permissions boundary limits what it grants."""
    SESSION = "its sessions"
    """By the session: the permissions boundary does not limit what it grants."""
    EVERYONE = "everyone"


def grantee(principals: Principals | None, arns: tuple[str, ...], issuers: frozenset[str]) -> Grantee | None:
    """Whom an Allow names: the widest that it does; None where it grants the role nothing.

    Args:
        arns: the role's ARN, where it is known, and `:role/NAME`.
        issuers: the issuers of identity pools.
    """
    if principals is None:
        return Grantee.SESSION
    if principals.negated or any(value == "*" for kind, value in principals.entries if kind == "AWS"):
        return Grantee.EVERYONE  # everyone but those that are named is nearly everyone
    if any(_is_session(kind, value, arns, issuers) for kind, value in principals.entries):
        return Grantee.SESSION
    if any(
        kind == "AWS" and (_may_be(value, arns, ":role/") or _ROLE_ID.fullmatch(value))
        for kind, value in principals.entries
    ):
        return Grantee.ROLE
    return None


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
