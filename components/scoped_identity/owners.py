"""The owner of a folder, a row or a topic, and the session tag that names the owner in a policy.

The identity ID exists in every session, but no other part of an app knows it. A session tag contains a claim of the user's
token, so that a client or a back end computes the folder from the user.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/attributes-for-access-control.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from . import formats
from .reader import Section


class Owner(str, Enum):
    """Whose a folder, a row or a topic is: the identity's, the user's (the claim `sub`), or the tenant's."""

    IDENTITY = "identity"
    SUB = "sub"
    TENANT = "tenant"


TAGS = {Owner.SUB: "userSub", Owner.TENANT: "tenant"}
"""Keys of the session tags that this component sets."""


@dataclass(frozen=True)
class Tenant:
    """Users with equal values of a claim share what is their tenant's.

    Attributes:
        claim: a claim that users cannot change themselves, such as `custom:tenant`.
        why: the reason for sharing, for the policy pack.
    """

    claim: str
    why: str


def owner(section: Section) -> Owner:
    return section.choice("by", Owner, Owner.IDENTITY)


def tenant(top: Section) -> Tenant | None:
    section = top.optional_section("tenant", "{claim: custom:tenant, why: …}")
    if section is None:
        return None
    found = Tenant(section.text("claim", formats.claim), section.text("why", formats.sentence))
    section.close()
    return found
