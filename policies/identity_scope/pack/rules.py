"""The rules as people see them: name, level, configuration and remedy are one value, and its page in the pack's README has
its name. What a rule asks is in `judges.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from . import remedies
from .configuration import (
    ACCESS,
    APIS,
    EXEMPTIONS,
    FIXED_CLAIMS,
    FOLDERS,
    GUESTS,
    KNOWN,
    POOLS,
    SHARED,
    TENANTS,
    Setting,
)


class Level(Enum):
    ADVISORY = "advisory"
    MANDATORY = "mandatory"
    REMEDIATE = "remediate"
    DISABLED = "disabled"


class Severity(Enum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True)
class Framework:
    """What a rule upholds in a published framework."""

    name: str
    version: str
    specification: str
    reference: str


def _well_architected(specification: str, page: str) -> Framework:
    reference = f"https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/{page}.html"
    return Framework("AWS Well-Architected Framework: Security Pillar", "2024-11-06", specification, reference)


LEAST_PRIVILEGE = _well_architected("SEC03-BP02 Grant least privilege access", "sec_permissions_least_privileges")
SHARED_ACCESS = _well_architected(
    "SEC03-BP07 Analyze public and cross-account access", "sec_permissions_analyze_cross_account"
)
IDENTITY_PROVIDER = _well_architected("SEC02-BP02 Use temporary credentials", "sec_identities_unique")


@dataclass(frozen=True)
class Rule:
    """A rule as people see it.

    Attributes:
        display_name: the name in prose.
        settings: its configuration.
        tags: words to find it by.
        advice: what to do, in a sentence.
        of_pools: whether it looks at identity pools instead of vended roles.
        remedy: the fix, where no judgement is needed.
    """

    name: str
    display_name: str
    description: str
    level: Level
    severity: Severity
    settings: tuple[Setting, ...]
    tags: tuple[str, ...]
    framework: Framework
    advice: str
    of_pools: bool = False
    remedy: remedies.Remedy | None = None


RULES: tuple[Rule, ...] = (
    Rule(
        name="s3-isolated-by-identity",
        display_name="Identities are isolated in S3",
        description="No identity of an identity pool can reach another identity's files in S3.",
        level=Level.MANDATORY,
        severity=Severity.CRITICAL,
        settings=(SHARED, TENANTS, FIXED_CLAIMS, *KNOWN, EXEMPTIONS),
        tags=("cognito", "iam", "s3", "isolation"),
        framework=LEAST_PRIVILEGE,
        advice="Scope every S3 grant of a vended role to ${cognito-identity.amazonaws.com:sub}.",
    ),
    Rule(
        name="vended-role-cannot-escalate",
        display_name="Vended roles allow no privilege escalation",
        description="No role that an identity pool vends can widen its own reach.",
        level=Level.MANDATORY,
        severity=Severity.CRITICAL,
        settings=(*KNOWN, EXEMPTIONS),
        tags=("cognito", "iam", "s3", "privilege-escalation"),
        framework=LEAST_PRIVILEGE,
        advice="Remove the action from the vended role's policies.",
    ),
    Rule(
        name="trust-bound-to-pool",
        display_name="Vended roles trust only their own pools",
        description="A role that an identity pool vends trusts its own pools and nothing else.",
        level=Level.MANDATORY,
        severity=Severity.CRITICAL,
        settings=(*KNOWN, POOLS, EXEMPTIONS),
        tags=("cognito", "iam", "trust"),
        framework=SHARED_ACCESS,
        advice="Test the identity pool's ID by :aud and the kind of identity by :amr in the trust policy.",
    ),
    Rule(
        name="guests-are-declared",
        display_name="Guest access is declared",
        description="Guest access to an identity pool is enabled only where that is declared with a reason.",
        level=Level.MANDATORY,
        severity=Severity.HIGH,
        settings=(GUESTS, EXEMPTIONS),
        tags=("cognito", "guests"),
        framework=SHARED_ACCESS,
        advice="Disable guest access, or declare the pool in the rule's configuration.",
        of_pools=True,
    ),
    Rule(
        name="s3-own-folder",
        display_name="Each identity stays in its own folder",
        description="Everything that an identity reaches in S3 lies in one folder that ends with its ID.",
        level=Level.ADVISORY,
        severity=Severity.MEDIUM,
        settings=(FOLDERS, SHARED, TENANTS, FIXED_CLAIMS, *KNOWN, EXEMPTIONS),
        tags=("cognito", "iam", "s3"),
        framework=LEAST_PRIVILEGE,
        advice="Grant BUCKET/PREFIX${cognito-identity.amazonaws.com:sub}/* and list exactly that prefix.",
    ),
    Rule(
        name="classic-flow-off",
        display_name="The classic flow is off",
        description="The classic flow of an identity pool is off.",
        level=Level.ADVISORY,
        severity=Severity.MEDIUM,
        settings=(EXEMPTIONS,),
        tags=("cognito",),
        framework=IDENTITY_PROVIDER,
        advice="Set allowClassicFlow to false.",
        of_pools=True,
        remedy=remedies.turn_classic_flow_off,
    ),
    Rule(
        name="server-side-token-check",
        display_name="Tokens are checked with the user pool",
        description="An identity pool checks tokens with the user pool that issued them.",
        level=Level.ADVISORY,
        severity=Severity.LOW,
        settings=(EXEMPTIONS,),
        tags=("cognito",),
        framework=IDENTITY_PROVIDER,
        advice="Set serverSideTokenCheck to true for every user pool.",
        of_pools=True,
        remedy=remedies.turn_token_check_on,
    ),
    Rule(
        name="api-invoke-scoped",
        display_name="Users call only named APIs",
        description="Vended roles call only APIs that are named by a literal ID.",
        level=Level.ADVISORY,
        severity=Severity.MEDIUM,
        settings=(APIS, *KNOWN, EXEMPTIONS),
        tags=("cognito", "iam", "api-gateway"),
        framework=LEAST_PRIVILEGE,
        advice="Name the API in the statement's resource.",
    ),
    Rule(
        name="other-access-is-declared",
        display_name="Access beyond S3 and API calls is declared",
        description="What vended roles may do beyond S3 and API calls is tied to the identity, or declared with a reason.",
        level=Level.ADVISORY,
        severity=Severity.LOW,
        settings=(ACCESS, *KNOWN, EXEMPTIONS),
        tags=("cognito", "iam"),
        framework=LEAST_PRIVILEGE,
        advice="Tie the grant to the identity, or declare it in the rule's configuration.",
    ),
)
"""All rules. Their names are fixed."""
