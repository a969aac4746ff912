"""Claims of identity providers, and the logins that send them to a role's sessions as principal tags.

An identity pool's tag map says for a provider which claim of its tokens becomes which tag; conditions and variables read it
as `aws:PrincipalTag/TAG`. What a tag tells two people apart by is what is known of its claim: the strings that it can be,
whether two people can have the same one, and whether its owner can change it.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/attributes-for-access-control.html
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

TAG_KEY = "aws:principaltag/"
"""How the condition key of a principal tag begins, in lower case."""

_LONGEST = 256
_PUNCTUATION = frozenset("_.:/=+-@")


def is_tag_value(text: str) -> bool:
    """Whether a session tag can have a value: letters, numbers, separators, and `_.:/=+-@`. A pool issues no credentials
    where a claim has another one.

    Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_Tag.html
    """
    return len(text) <= _LONGEST and all(c in _PUNCTUATION or unicodedata.category(c)[0] in "LZN" for c in text)


class Language(Enum):
    """The strings that a claim can be."""

    UUID = "UUID"
    """36 characters: lower-case hexadecimal digits and dashes."""

    TEXT = "text"
    """Any string of one character or more, `/` included."""


@dataclass(frozen=True)
class Claim:
    """A claim of a provider's tokens.

    Attributes:
        name: the claim's name.
        language: the strings that it can be.
        longest: how many characters it has at most.
        unique: whether two people of the provider never have the same value.
        changeable: whether its owner can change it.
        source: the page that says so.
        always: whether every token of the provider has it; a session whose token has it not has no such tag.
        provider: the provider whose tokens have it, where a session has claims of several; empty: the login's.
    """

    name: str
    language: Language
    longest: int
    unique: bool
    changeable: bool
    source: str
    always: bool = False
    provider: str = ""

    @property
    def identifying(self) -> bool:
        """Whether two people of one provider have different values, now and later."""
        return self.unique and not self.changeable


class IssuerKind(Enum):
    """The kinds of providers of an identity pool."""

    USER_POOL = "user pool"
    OIDC = "OpenID Connect issuer"
    SAML = "SAML provider"
    SOCIAL = "social provider"
    DEVELOPER = "developer provider"
    GUEST = "guest access"


@dataclass(frozen=True)
class Login:
    """One way to get a role: a provider, and the tags that its sessions have.

    Attributes:
        provider: how messages call the provider; two logins of one name are of one provider.
        kind: the provider's kind.
        tags: a tag's key in lower case to its claim, or to the value that the role's own tag gives it in every session. A
            key that is not there is absent from the sessions.
    """

    provider: str
    kind: IssuerKind
    tags: Mapping[str, Claim | str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Tag:
    """A principal tag of a kind of sessions.

    Attributes:
        key: in lower case.
        claim: where its value comes from; None for the role's own tag, which is the same in every session.
        value: its value; None: it may be any string that the claim can be, but none of `besides`.
        besides: values that other kinds of sessions have.
        slash: whether its value has a `/`, where that tells kinds of sessions apart; None: it may.
    """

    key: str
    claim: Claim | None
    value: str | None = None
    besides: frozenset[str] = frozenset()
    slash: bool | None = None


@dataclass(frozen=True)
class Session:
    """A kind of sessions of a role: all that one login starts, with the tags that documents speak of. Others are absent.

    Attributes:
        provider: the login's provider; empty for all those that send none of these tags.
        kind: the provider's kind; None where there is no one provider.
        tags: the tags, in the order of their keys.
        providers: all providers whose logins start such sessions.
    """

    provider: str = ""
    kind: IssuerKind | None = None
    tags: tuple[Tag, ...] = ()
    providers: frozenset[str] = frozenset()

    def tag(self, key: str) -> Tag | None:
        return next((tag for tag in self.tags if tag.key == key), None)


_USER_POOL_TOKENS = (
    "https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html"
)
_ATTRIBUTES = "https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html"
_OPENID = "https://openid.net/specs/openid-connect-core-1_0.html#IDToken"

SUB = Claim("sub", Language.UUID, 36, unique=True, changeable=False, source=_USER_POOL_TOKENS, always=True)
"""A user pool's own identifier of a user, a UUID that it assigns and never assigns again."""

USERNAME = Claim("cognito:username", Language.TEXT, 128, unique=True, changeable=False, source=_ATTRIBUTES, always=True)
"""A user pool's user name: letters, marks, symbols, numbers and punctuation."""

CLIENT = Claim("aud", Language.TEXT, 128, unique=False, changeable=False, source=_USER_POOL_TOKENS, always=True)
"""The ID of the app client that a token is issued to, which its users have in common."""

EMAIL = Claim("email", Language.TEXT, 256, unique=False, changeable=True, source=_ATTRIBUTES)
"""A user's e-mail address, which a client that may write it lets its owner change."""

OPENID_SUB = Claim("sub", Language.TEXT, 255, unique=True, changeable=False, source=_OPENID, always=True)
"""An OpenID Connect issuer's identifier of a user: locally unique, and never reassigned within the issuer."""


def attribute(name: str, writable: bool = True) -> Claim:
    """A user pool's other attribute, `custom:…` or standard; whether its owner can write it through an app client."""
    return Claim(name, Language.TEXT, 256, unique=False, changeable=writable, source=_ATTRIBUTES)


GROUPS = Claim("cognito:groups", Language.TEXT, 256, unique=False, changeable=False, source=_USER_POOL_TOKENS)
"""The groups of a user, which an administrator assigns, as one text."""
_FEDERATION = "https://docs.aws.amazon.com/cognito/latest/developerguide/provider-mappings.html"
STANDARD_ATTRIBUTES = frozenset(
    {
        *("address", "birthdate", "email", "email_verified", "family_name", "gender", "given_name", "locale"),
        *("middle_name", "name", "nickname", "phone_number", "phone_number_verified", "picture", "preferred_username"),
        *("profile", "updated_at", "website", "zoneinfo"),
    }
)
"""Attributes that every user pool has, beside `sub`. A user can write them through an app client that may.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html
"""
_VERIFIED = frozenset({"email_verified", "phone_number_verified"})
_OPENID_ISSUERS = frozenset({"accounts.google.com", "appleid.apple.com"})
"""Social providers that are OpenID Connect issuers."""


def claim_of(kind: IssuerKind, provider: str, name: str) -> Claim:
    """What is known of a claim of a provider's tokens. Of one that nothing is known of, any user may have any value."""
    if kind is IssuerKind.USER_POOL:
        known = {each.name: each for each in (SUB, USERNAME, CLIENT, EMAIL, GROUPS)}
        return known.get(name) or attribute(name, name not in _VERIFIED)
    if (kind is IssuerKind.OIDC or provider in _OPENID_ISSUERS) and name in ("sub", "aud"):
        return OPENID_SUB if name == "sub" else CLIENT
    return Claim(name, Language.TEXT, 256, unique=False, changeable=True, source=_FEDERATION)


def is_attribute(name: str) -> bool:
    """Whether a claim is an attribute of a user pool's users, which they can write through an app client that may."""
    return name in STANDARD_ATTRIBUTES or name.startswith("custom:")


def default_tags(kind: IssuerKind) -> dict[str, str]:
    """AWS's default map: which claim becomes which tag.

    Source: https://docs.aws.amazon.com/cognito/latest/developerguide/provider-mappings.html
    """
    if kind is IssuerKind.SAML:
        claims = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
        return {"username": f"{claims}nameidentifier", "client": f"{claims}name"}
    return {"username": "sub", "client": "aud"}
