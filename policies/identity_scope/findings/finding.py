"""A finding as a value: which resource it is about, what caused it, what it says, and the change that fixes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from ..inventory.labels import unmarked
from .example import Example
from .fix import Fix


class Kind(Enum):
    """What is wrong. Each kind has words of its own, and a fix that a test applies."""

    # s3-isolated-by-identity
    NO_IDENTITY = "nothing in the resource depends on the identity"
    STAR_BEFORE_IDENTITY = "a wildcard before the identity ID spans folders"
    WIDE_PATTERN = "the resource matches other users' files as well"
    MISSPELT_VARIABLE = "a variable is misspelt"
    OTHER_VARIABLE = "a variable stands in place of the identity ID that does not follow it"
    NO_VERSION = "without its Version, a document's variables are literal text"
    NOT_RESOURCE = "NotResource grants everything that it does not name"
    TWO_RESOURCES = "two resources of a statement overlap"
    TWO_STATEMENTS = "two statements overlap"
    BUCKET_POLICY = "a bucket policy opens users' files"
    LISTING = "a listing is too wide"
    ACCESS_POINT = "an access point shows a bucket's objects under another name"
    CHANGEABLE_CLAIM = "a folder is named by a claim that a user can change"
    SHARED_CLAIM = "a folder is named by a claim that several users have the same value of"
    SEVERAL_PROVIDERS = "a folder is named by a claim that several providers issue"
    FREE_TEXT_CLAIM = "a folder is named by a claim that may begin with another user's"
    UNKNOWN_ISSUER = "the issuer of the pool's region is not known"
    UNDECIDED = "the question takes more steps than the budget allows"
    VALUE_NOT_KNOWN = "it depends on a value that a template does not say"
    # s3-own-folder
    OUTSIDE_FOLDER = "a grant reaches files outside the user's own folder"
    TWO_FOLDERS = "a user has several folders"
    DEAD_VARIABLE = "a variable has no value in any request"
    DEAD_CONDITION = "a condition is never met"
    # vended-role-cannot-escalate
    ESCALATION = "an action allows privilege escalation"
    # documents
    MALFORMED = "a document is malformed"
    SECRET = "a document or a name is secret"
    NO_DOCUMENT = "a resource has no document"
    MANAGED_POLICY = "the document of a managed policy is not known"
    ROLE_ELSEWHERE = "a role is not in the stack"
    # trust-bound-to-pool
    ANY_PRINCIPAL = "a trust policy trusts every principal that it does not name"
    OTHER_PRINCIPAL = "a trust policy trusts another principal"
    MISSPELT_ISSUER = "the issuer in a trust policy is misspelt"
    ANY_POOL = "a trust policy names no pool"
    NO_POOL = "what a trust policy names is not the ID of a pool"
    OTHER_POOL = "a trust policy trusts a pool of another stack"
    OTHER_ISSUER = "the issuer in a trust policy is that of another partition"
    ANY_LOGIN = "a trust policy does not tell guests from signed-in users"
    BOTH_LOGINS = "guests and signed-in users both meet the condition of a trust policy"
    NOBODY = "no pool can assume a role that it vends"
    TAGS_REFUSED = "a trust policy does not allow the principal tags that a provider sends"
    POOL_NOT_KNOWN = "a group or rule vends a role of a pool that is not known"
    # pools
    GUESTS = "guest access is enabled and not declared"
    CLASSIC = "the classic flow is not off"
    TOKENS = "tokens are not checked with the user pool"
    # the other rules
    API = "an API is not named"
    OTHER_ACCESS = "access beyond S3 and API calls is not declared"


@dataclass(frozen=True)
class Finding:
    """One thing that a rule reports.

    Attributes:
        urn: the resource that holds what is wrong; empty where there is none.
        key: the finding's cause, which tells it apart from all others of the rule.
        text: what it says; the first line is the one to act on.
        pending: not decided at preview; it will be at update.
        kind: what is wrong; None where nothing is, as where it is decided at update.
        fix: the change that fixes it.
        example: a request that shows it; None where none does.
        about: all resources of a question that was not decided as a whole; empty where it is about `urn` alone.
    """

    urn: str
    key: tuple[str, ...]
    text: str
    pending: bool = False
    kind: Kind | None = None
    fix: Fix = field(default_factory=Fix)
    example: Example | None = None
    about: frozenset[str] = frozenset()

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells it from all others of the rule: its cause, and its resource, since documents of several resources can
        have one label. A question that was not decided as a whole is no single resource's."""
        return self.key if self.about else (self.urn, *map(unmarked, self.key))
