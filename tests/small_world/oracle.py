"""What a set of documents allows, by brute force: every identity of a small world, every short key, every prefix.

Nothing is shared with the proofs but the parser. The semantics are scope.md's table of IAM facts, written down a second
time: what is not understood widens an Allow and never narrows it. `Oracle.reach` and `Oracle.opened` are sets of keys, bit
by bit; `Oracle.allows` decides one request, by regular expressions; a test compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum
from functools import cached_property, lru_cache
from itertools import combinations, islice, product
from typing import NamedTuple

from policies.identity_scope.iam.documents import Condition, Document, Effect, Principals, Statement

from .keys import ANY, ONE, WITHIN, Glob, Keys, behind, common, matches
from .people import PREFIX, Person, SmallLogin, two_people, two_tenants
from .shape import SmallShape

ISSUER = "cognito-identity.amazonaws.com"
FOREIGN = ("cognito-identity-us-gov.amazonaws.com", "cognito-identity.us-gov-east-1.amazonaws.com")
ACCOUNT = "111122223333"
SESSION = "CognitoIdentityCredentials"
OBJECT_ACTIONS = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
LISTING = ("s3:ListBucket", "s3:ListBucketVersions")
ON_BUCKETS = ("s3:PutBucketPolicy", "s3:PutBucketAcl", "s3:ListBucketMultipartUploads")
ON_ROLES = ("iam:PutRolePolicy", "iam:AttachRolePolicy")
ON_POOLS = ("cognito-identity:SetIdentityPoolRoles",)
"""Of each kind of action, those that the generated documents speak of by name."""


class Truth(IntEnum):
    NO = 0
    MAYBE = 1
    YES = 2


class NoValue(Enum):
    """Why a request holds nothing to compare under a condition key."""

    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Role:
    name: str
    documents: tuple[Document, ...]
    boundary: Document | None = None
    logins: tuple[SmallLogin, ...] | None = None
    """None: any identity gets it, with any tags."""

    def is_for(self, identity: str) -> bool:
        """Whether an identity's session can be one of the role's."""
        return self.logins is None or not isinstance(identity, Person) or identity.login in self.logins

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{ACCOUNT}:role/{self.name}"

    @property
    def session(self) -> str:
        return f"arn:aws:sts::{ACCOUNT}:assumed-role/{self.name}/{SESSION}"


@dataclass(frozen=True)
class SharedSpace:
    pattern: str
    actions: tuple[str, ...]


class Context(NamedTuple):
    """What a request holds under condition keys: the identity, None without credentials; whether it lists; and the prefix,
    None where it names none."""

    identity: str | None
    listing: bool = False
    prefix: str | None = None

    def value(self, key: str) -> str | NoValue:
        """What the request holds under a condition key."""
        key = key.lower()
        issuer, _, name = key.rpartition(":")
        if issuer in FOREIGN and name in ("sub", "aud", "amr"):
            return NoValue.ABSENT
        if issuer == ISSUER and self.identity is None:
            return NoValue.ABSENT
        if key.startswith(PREFIX) and (self.identity is None or isinstance(self.identity, Person)):
            tag = self.identity.tag(key.removeprefix(PREFIX)) if isinstance(self.identity, Person) else None
            return NoValue.ABSENT if tag is None else tag
        if key == f"{ISSUER}:sub":
            return self.identity or NoValue.ABSENT
        if key in ("s3:prefix", "s3:delimiter", "s3:max-keys"):
            if not self.listing:
                return NoValue.ABSENT
            if key == "s3:prefix":
                return NoValue.ABSENT if self.prefix is None else self.prefix
        return NoValue.UNKNOWN


@dataclass(frozen=True)
class Call:
    """One request of an identity, or, without credentials, of nobody. `prefix` is None where the request has none."""

    identity: str | None
    action: str
    arn: str
    prefix: str | None = None

    @property
    def context(self) -> Context:
        return Context(self.identity, self.action in LISTING, self.prefix)


@dataclass(frozen=True)
class Variable:
    key: str
    default: str | None = None


Piece = str | Variable
"""A character, `ANY`, `ONE`, or a variable."""


@lru_cache(maxsize=20_000)
def pieces(text: str, expands: bool, wildcards: bool) -> tuple[Piece, ...]:
    """A Resource or a condition value. Variables stand for something under Version 2012-10-17 only."""
    wild = {"*": ANY, "?": ONE} if wildcards else {}
    found: list[Piece] = []
    for match in re.finditer(r"\$\{(?P<name>[^}]*)\}|.", text, re.DOTALL):
        name = match["name"]
        if name is None or not expands:
            found.extend(wild.get(letter, letter) for letter in match[0])
        elif name in ("*", "?", "$"):
            found.append(name)
        elif default := re.fullmatch(r"\s*([^\s,]+)\s*,\s*'(.*)'\s*", name, re.DOTALL):
            found.append(Variable(default[1], default[2]))
        else:
            found.append(Variable(name.strip()))
    return tuple(found)


@lru_cache(maxsize=100_000)
def glob_of(text: str, expands: bool, wildcards: bool, context: Context, wide: bool) -> tuple[Glob | None, bool]:
    """The glob for one request, None where it matches nothing; and whether a variable's value is not known."""
    found: list[str] = []
    unknown = False
    for piece in pieces(text, expands, wildcards):
        if isinstance(piece, str):
            found.append(piece)
            continue
        held = context.value(piece.key)
        if held is NoValue.UNKNOWN:
            if not wide:
                return None, True
            # Whatever it is: nothing before or after it can be relied on to be all there is.
            found.append(ANY)
            unknown = True
        elif held is NoValue.ABSENT:
            if piece.default is None:
                return None, False
            found.extend(piece.default)
        else:
            assert isinstance(held, str)
            found.extend(held)
    return tuple(found), unknown


@lru_cache(maxsize=100_000)
def resource_glob(text: str, expands: bool, context: Context, larger: bool) -> Glob | None:
    """A Resource or NotResource; its set is made `larger` or smaller where AWS leaves something open."""
    if text.startswith("arn:") and (missing := 5 - text.count(":")) > 0:
        text += ":*" * missing
    glob, _ = glob_of(text, expands, True, context, larger)
    if glob is None or larger:
        return glob
    return tuple(
        WITHIN if part == ANY and index + 1 < len(glob) and glob[index + 1] != ":" else part
        for index, part in enumerate(glob)
    )


@lru_cache(maxsize=100_000)
def truth(condition: Condition, context: Context, expands: bool) -> Truth:
    """One operator on one key, for one request."""
    held = context.value(condition.key)
    if held is NoValue.UNKNOWN:
        return Truth.MAYBE
    if condition.operator == "Null":
        wanted = "true" if held is NoValue.ABSENT else "false"
        return Truth.YES if wanted in [v.lower() for v in condition.values] else Truth.NO
    negated = "Not" in condition.operator
    if held is NoValue.ABSENT:
        if condition.if_exists or condition.qualifier == "ForAllValues":
            return Truth.YES
        return Truth.YES if negated and condition.qualifier != "ForAnyValue" else Truth.NO
    assert isinstance(held, str)
    best = max((_compared(condition, text, held, context, expands) for text in condition.values), default=Truth.NO)
    found = Truth(2 - best) if negated else best
    # Whether one empty string counts as no value is left open.
    return max(found, Truth.MAYBE) if condition.qualifier == "ForAllValues" and not held else found


def _compared(condition: Condition, text: str, held: str, context: Context, expands: bool) -> Truth:
    """What a request holds, compared with one value of a condition."""
    if not condition.operator.startswith(("String", "Arn")):
        expands = False
    glob, unknown = glob_of(text, expands, "Like" in condition.operator, context, True)
    if glob is None:
        return Truth.NO
    if not condition.operator.startswith("String"):
        return Truth.MAYBE  # an ID is no number, date, ARN or the like, and what IAM makes of it is not stated
    if matches(glob, held, condition.operator.endswith("IgnoreCase")):
        return Truth.MAYBE if unknown else Truth.YES
    return Truth.NO


def least(statement: Statement) -> Truth:
    """How true the conditions must be: an Allow applies where they may hold, a Deny where they do."""
    return Truth.MAYBE if statement.effect is Effect.ALLOW else Truth.YES


def is_sure(statement: Statement, context: Context) -> bool:
    """Whether a statement is valid for certain: AWS may not take it so where one of its variables has no value."""
    texts = [*statement.resources]
    for condition in statement.conditions:
        if condition.operator.startswith(("String", "Arn")):
            texts += condition.values
    named = [piece for text in texts for piece in pieces(text, statement.expands, True) if isinstance(piece, Variable)]
    return all(v.default is not None or not isinstance(context.value(v.key), NoValue) for v in named)


def holds(statement: Statement, context: Context) -> bool:
    """Whether the conditions of a statement hold; of an Allow, whether they may."""
    if statement.effect is Effect.DENY and not is_sure(statement, context):
        return False
    return all(truth(c, context, statement.expands) >= least(statement) for c in statement.conditions)


def resource_globs(statement: Statement, context: Context) -> list[Glob]:
    """The globs of Resource or NotResource."""
    larger = (statement.effect is Effect.ALLOW) is not statement.not_resource
    globs = [resource_glob(text, statement.expands, context, larger) for text in statement.resources]
    return [glob for glob in globs if glob is not None]


def resource_applies(statement: Statement, arn: str, context: Context) -> bool:
    globs = resource_globs(statement, context)
    return any(matches(glob, arn) for glob in globs) is not statement.not_resource


@lru_cache(maxsize=50_000)
def action_applies(patterns: tuple[str, ...], negated: bool, action: str) -> bool:
    """Whether Action or NotAction speaks of an action; names ignore case."""
    return any(matches(tuple({"*": ANY, "?": ONE}.get(c, c) for c in p), action, True) for p in patterns) is not negated


def speaks_of(statement: Statement, action: str) -> bool:
    return action_applies(statement.actions, statement.not_action, action)


def applies(statement: Statement, call: Call) -> bool:
    """Whether a statement applies to a request; an Allow, whether it may."""
    context = call.context
    return (
        speaks_of(statement, call.action)
        and resource_applies(statement, call.arn, context)
        and holds(statement, context)
    )


def names_prefix(statement: Statement) -> bool:
    """Whether a statement puts the request's prefix in the place of a variable."""
    texts = [*statement.resources, *(value for c in statement.conditions for value in c.values)]
    return statement.expands and any("${s3:prefix" in text.lower() for text in texts)


def imagined(statements: Iterable[Statement]) -> list[str]:
    """Actions that S3 may have one day: one for each wildcard, and for the beginning of each with the end of each."""
    patterns = {p[3:] for s in statements for p in s.actions if p.lower().startswith("s3:") and {*"*?"} & {*p}}
    heads = {p.partition("*")[0] for p in patterns}
    tails = {p.rpartition("*")[2] for p in patterns if "*" in p}
    some = {p.replace("*", "Qqq") for p in patterns} | {f"{h}Qqq{t}" for h, t in product(heads, tails)}
    return ["s3:Qqq", *sorted({f"s3:{name.replace('?', 'q')}" for name in some} - {"s3:Qqq"})]


_TRIED = 8
"""How far prefixes go that are tried one by one."""

OWN, BOUNDED, SESSIONS, EVERYONE = "its own documents", "its ARN", "its sessions", "everyone"
"""What allows a request: the role's own documents, or a bucket policy that names the role, its sessions or everyone."""
_DENY, _BOUNDARY = "deny", "boundary"


def needs_identity(statement: Statement) -> bool:
    """Whether nobody meets an Allow without an identity, or a tag, whatever else the request holds."""

    def is_of_identity(key: str) -> bool:
        issuer, _, name = key.lower().rpartition(":")
        return key.lower().startswith(PREFIX) or (issuer in (ISSUER, *FOREIGN) and name in ("sub", "aud", "amr"))

    def stands_for_it(text: str) -> bool:
        named = [piece for piece in pieces(text, statement.expands, True) if isinstance(piece, Variable)]
        return any(piece.default is None and is_of_identity(piece.key) for piece in named)

    for condition in statement.conditions:
        if is_of_identity(condition.key):
            if truth(condition, Context(None), statement.expands) is Truth.NO:
                return True
        elif condition.operator in ("StringEquals", "StringLike", "StringEqualsIgnoreCase", "ArnLike", "ArnEquals"):
            always = condition.if_exists or condition.qualifier == "ForAllValues"
            if not always and all(map(stands_for_it, condition.values)):
                return True
    return not statement.not_resource and all(map(stands_for_it, statement.resources))


def granted_to(statement: Statement, role: Role | None) -> str | None:
    """As what a bucket policy's Allow reaches a role, or a caller without any. An account only delegates; everyone but some
    is everyone, unless nobody but identities can meet it; whoever asks for a session without the pool's help may choose its
    name."""
    principals = statement.principals
    assert principals is not None
    values = [value for _, value in principals.entries]
    if (principals.negated or "*" in values) and not needs_identity(statement):
        return EVERYONE
    if role is None:
        return None
    sessions = role.session.removesuffix(SESSION)
    if (
        principals.negated
        or "*" in values
        or any(value.startswith(sessions) for value in values)
        or ("Federated", ISSUER) in principals.entries
    ):
        return SESSIONS
    return BOUNDED if role.arn in values else None


def denied_to(principals: Principals, role: Role | None) -> bool:
    """Whether a bucket policy's Deny speaks of a role: by ARN, account or a pool's session, or as one of everyone.

    One with NotPrincipal is not counted: what it takes to except a role is not stated for sessions of every kind."""
    values = {value for _, value in principals.entries}
    if principals.negated:
        return False
    if role is None:
        return "*" in values
    return bool({"*", role.arn, role.session, ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root"} & values)


class Place(NamedTuple):
    """Where keys are looked at: in a bucket, behind some text that they all begin with."""

    bucket: str
    head: str = ""

    @property
    def name(self) -> str:
        return f"{self.bucket}/{self.head}"


class Oracle:
    """A set of roles and bucket policies, and what each identity may do through them."""

    def __init__(
        self,
        shape: SmallShape,
        roles: tuple[Role, ...],
        policies: dict[str, Document],
        shared: tuple[SharedSpace, ...],
        folders: tuple[str, ...],
        focus: tuple[str, ...],
        keys: Keys,
        places: dict[Place, int],
        people: tuple[Person, ...] = (),
        tenants: tuple[str, ...] = (),
        spoken: str = "",
    ) -> None:
        """Args:
        policies: bucket policies, by bucket.
        folders: the only folders that are allowed, as `BUCKET/PREFIX`; none: any one folder will do.
        focus: the names of the roles that are asked about; none: all.
        places: where to look, and how far the keys go there.
        people: those who are looked at, where documents speak of their tags; none: every identity.
        tenants: the tags whose values name tenants.
        spoken: the documents' text, in lower case.
        """
        self.spoken = spoken
        self.identities: tuple[str, ...] = people or shape.identities
        self.tenants = tenants
        self.shape = shape
        self.roles = roles
        self.policies = policies
        self.shared = shared
        self.folders = folders
        self.focus = tuple(role for role in roles if not focus or role.name in focus)
        self.keys = keys
        self.places = places
        self.also: tuple[str, ...] = ()
        """Further actions to ask about."""
        self._reach: dict[tuple[str, Place, str], int] = {}
        self._described: dict[tuple[int, Context, Place], int] = {}
        self._of: dict[tuple[str | None, str | None], list[tuple[str, Statement]]] = {}

    def _statements(self, role: Role | None, bucket: str | None) -> list[tuple[str, Statement]]:
        """What could apply to a role's requests to a bucket, with what each statement does."""
        key = None if role is None else role.name, bucket
        if key not in self._of:
            self._of[key] = list(self._applying(role, bucket))
        return self._of[key]

    def _applying(self, role: Role | None, bucket: str | None) -> Iterator[tuple[str, Statement]]:
        if role is not None:
            for document in role.documents:
                for statement in document.statements:
                    yield (OWN if statement.effect is Effect.ALLOW else _DENY), statement
            for statement in role.boundary.statements if role.boundary is not None else ():
                yield (_BOUNDARY if statement.effect is Effect.ALLOW else _DENY), statement
        if bucket in self.policies:
            for statement in self.policies[bucket].statements:
                assert statement.principals is not None
                if statement.effect is Effect.DENY:
                    if denied_to(statement.principals, role):
                        yield _DENY, statement
                elif how := granted_to(statement, role):
                    yield how, statement

    # One request

    def allows(self, call: Call, role: Role | None) -> set[str]:
        """As what a request is allowed; empty where it is not."""
        statements = self._statements(role, _bucket(call.arn))
        applying = [(how, 1) for how, s in statements if applies(s, call)]
        return set(_combined(applying, role is not None and role.boundary is not None))

    def reaches(self, identity: str, bucket: str, key: str) -> bool:
        """Whether an identity reaches one key through some role, asked request by request."""
        arn = f"arn:aws:s3:::{bucket}"
        prefixes = [None, *(key[:n] for n in range(len(key) + 1))]
        calls = [Call(identity, action, f"{arn}/{key}") for action in self.object_actions]
        calls += [Call(identity, action, arn, prefix) for action in LISTING for prefix in prefixes]
        return any(
            self.allows(call, role) - {EVERYONE} and not self.is_shared(call.action, identity, bucket, key)
            for call in calls
            for role in self.roles
            if role.is_for(identity)
        )

    def is_shared(self, action: str, identity: str, bucket: str, key: str) -> bool:
        return any(matches(glob, f"{bucket}/{key}") for glob in self._spaces(action, identity))

    def _spaces(self, action: str, identity: str) -> list[Glob]:
        globs = [
            glob_of(s.pattern, True, True, Context(identity), False)[0] for s in self.shared if action in s.actions
        ]
        return [glob for glob in globs if glob is not None]

    # All keys

    @cached_property
    def _documents(self) -> list[Document]:
        return [d for role in self.roles for d in role.documents] + [*self.policies.values()]

    @cached_property
    def object_actions(self) -> list[str]:
        """Actions on objects: those that documents name, and those that S3 may have one day."""
        boundaries = [role.boundary for role in self.roles if role.boundary is not None]
        some = imagined(s for d in [*self._documents, *boundaries] for s in d.statements)
        return list(dict.fromkeys((*OBJECT_ACTIONS, *some, *self.also)))

    @cached_property
    def actions(self) -> list[str]:
        """One of each kind of action that some statement allows and that nothing tells from the others of its kind."""
        documents = self._documents
        boundaries = [role.boundary for role in self.roles if role.boundary is not None]
        statements = [s for d in documents + boundaries for s in d.statements]
        kinds: dict[tuple[object, ...], str] = {}
        for action in (*self.object_actions, *LISTING):
            if any(s.effect is Effect.ALLOW and speaks_of(s, action) for d in documents for s in d.statements):
                told = (*(speaks_of(s, action) for s in statements), *(action in s.actions for s in self.shared))
                kinds.setdefault((action in LISTING, *told), action)
        return list(kinds.values())

    def reach(self, identity: str, place: Place, roles: Sequence[Role] | None = None) -> int:
        """The keys of a place that an identity reaches through some role; of those that are given, if any are."""
        found = 0
        for role in self.roles if roles is None else roles:
            if not role.is_for(identity):
                continue
            key = identity, place, role.name
            if key not in self._reach:
                self._reach[key] = self._reach_of(identity, place, role)
            found |= self._reach[key]
        return found

    def _reach_of(self, identity: str, place: Place, role: Role) -> int:
        found = 0
        for action in self.actions:
            mine = self._keys_through(role, identity, action, place, (OWN, BOUNDED, SESSIONS))
            if mine and self.shared:
                mine &= ~self._keys_of(self._spaces(action, identity), place, place.name)
            found |= mine
        return found if place.head else found & ~1  # no object has an empty key

    def opened(self, identity: str, place: Place, roles: Sequence[Role]) -> int:
        """The keys of a place that its bucket's policy opens to everyone; the identity comes with some role, or without."""
        if place.bucket not in self.policies:
            return 0
        found = 0
        for action in self.actions:
            for role in roles:
                if role.is_for(identity):
                    found |= self._keys_through(role, identity, action, place, (EVERYONE,))
            found |= self._keys_through(None, None, action, place, (EVERYONE,))
        return found if place.head else found & ~1

    def _keys_through(
        self, role: Role | None, identity: str | None, action: str, place: Place, kinds: tuple[str, ...]
    ) -> int:
        """The keys that one action reaches, by what allows it."""
        statements = [(how, s) for how, s in self._statements(role, place.bucket) if speaks_of(s, action)]
        if not any(how in kinds for how, _ in statements):
            return 0
        context = Context(identity, action in LISTING)
        ask = self._prefixes if context.listing else self._objects
        described: list[tuple[str, int]] = []
        for how, statement in statements:
            key = id(statement), context, place
            if key not in self._described:
                self._described[key] = ask(statement, context, place)
            described.append((how, self._described[key]))
        allowed = _combined(described, role is not None and role.boundary is not None)
        found = 0
        for kind in kinds:
            found |= allowed.get(kind, 0)
        if not context.listing:
            return found
        bound = self.places[place]
        shorter = 1 + len(place.head)
        return self.keys.every(bound) if found & (1 << shorter) - 1 else self.keys.beginning(found >> shorter, bound)

    def _objects(self, statement: Statement, context: Context, place: Place) -> int:
        """The keys of the objects that a statement applies to."""
        if not holds(statement, context):
            return 0
        globs = resource_globs(statement, context)
        bits = self._keys_of(globs, place, f"arn:aws:s3:::{place.name}")
        return self.keys.every(self.places[place]) & ~bits if statement.not_resource else bits

    def _keys_of(self, globs: Iterable[Glob], place: Place, head: str) -> int:
        return self.keys.matching(behind(frozenset(globs), head), self.places[place])

    def _prefixes(self, statement: Statement, context: Context, place: Place) -> int:
        """The values of `s3:prefix` that a statement applies to: no prefix, those that the place's keys begin with, and its
        keys, each with a bit."""
        arn = f"arn:aws:s3:::{place.bucket}"
        bound = self.places[place]
        shorter = 1 + len(place.head)
        if names_prefix(statement):
            return self._prefixes_one_by_one(statement, context, place)
        if not resource_applies(statement, arn, context):
            return 0
        if statement.effect is Effect.DENY and not is_sure(statement, context):
            return 0
        found = (self.keys.every(bound) << shorter) | (1 << shorter) - 1
        for condition in statement.conditions:
            if condition.key == "s3:prefix":
                found &= self._prefixes_where(condition, statement, context, place)
            elif truth(condition, context, statement.expands) < least(statement):
                return 0
        return found

    def _prefixes_one_by_one(self, statement: Statement, context: Context, place: Place) -> int:
        """The same where what a statement says depends on the prefix as a variable: as far as all can be tried; of those
        that are not tried, an Allow grants none, and a Deny takes all away."""
        arn = f"arn:aws:s3:::{place.bucket}"
        bound = self.places[place]
        near = min(bound, _TRIED)
        allow = statement.effect is Effect.ALLOW
        prefixes: list[str | None] = [None, *(place.head[:n] for n in range(len(place.head)))]
        found = 0
        for index, prefix in enumerate(prefixes):
            here = context._replace(prefix=prefix)
            found |= (resource_applies(statement, arn, here) and holds(statement, here)) << index
        tried = 0 if allow else self.keys.every(bound)
        for index, word in self.keys.words(near, bound):
            here = context._replace(prefix=place.head + word)
            bit = 1 << index
            applying = resource_applies(statement, arn, here) and holds(statement, here)
            tried = tried | bit if applying else tried & ~bit
        return found | tried << len(prefixes)

    def _prefixes_where(self, condition: Condition, statement: Statement, context: Context, place: Place) -> int:
        bound = self.places[place]
        every = self.keys.every(bound)
        allow = statement.effect is Effect.ALLOW
        shorter: list[str | None] = [None, *(place.head[:n] for n in range(len(place.head)))]
        few = 0
        for index, prefix in enumerate(shorter):
            here = context._replace(prefix=prefix)
            few |= (truth(condition, here, statement.expands) >= least(statement)) << index
        if condition.operator == "Null":
            present = context._replace(prefix="")
            bits = every if truth(condition, present, statement.expands) is Truth.YES else 0
        elif not condition.operator.startswith("String"):
            bits = every if allow else 0  # what such an operator makes of a prefix is not stated
        else:
            negated = "Not" in condition.operator
            globs = [
                glob_of(text, statement.expands, "Like" in condition.operator, context, allow is not negated)[0]
                for text in condition.values
            ]
            fold = condition.operator.endswith("IgnoreCase")
            found = frozenset(glob for glob in globs if glob is not None)
            bits = self.keys.matching(behind(found, place.head, fold), bound, fold)
            if negated:
                bits = every & ~bits
            if condition.qualifier == "ForAllValues" and allow and not place.head:
                bits |= 1  # as for one request
        return bits << len(shorter) | few

    # The invariants

    def leak(self) -> tuple[str, str, str] | None:
        """Two identities and an object that both reach, or that one reaches and the other as one of everyone; a role that
        is asked about has a part in it."""
        identities = self.identities
        for place, bound in self.places.items():
            reach = [self.reach(identity, place) for identity in identities]
            if not any(reach):
                continue
            mine = [self.reach(identity, place, self.focus) for identity in identities]
            opened = [self.opened(identity, place, self.roles) for identity in identities]
            asked = [self.opened(identity, place, self.focus) for identity in identities]
            for i, one in enumerate(identities):
                for j, other in enumerate(identities):
                    both = (mine[i] | asked[i]) & reach[j] | opened[i] & mine[j]
                    if i == j or (both and not self.apart(one, other)):
                        continue
                    if both:
                        return one, other, place.name + self.keys.first(both, bound)
        return None

    def apart(self, one: str, other: str) -> bool:
        """Whether two identities are those of two people, and of two tenants where these are declared."""
        if not isinstance(one, Person) or not isinstance(other, Person):
            return one != other
        return two_people(one, other) and two_tenants(one, other, self.tenants)

    def _names(self, identity: str) -> list[str]:
        return identity.names(self.tenants) if isinstance(identity, Person) else [identity]

    def outside(self) -> tuple[str, tuple[str, ...]] | None:
        """An identity, and objects that it reaches and that lie in no one folder of its own.

        The first is reached through a role that is asked about. So is the second, or it lies in a folder, but in another.
        """
        others = [role for role in self.roles if role not in self.focus]
        for identity in self.identities:
            reached = next(self._everything(identity, self.focus), None)
            if reached is None:
                continue
            found: list[str] = []
            names = self._names(identity)
            # Of declared folders, whichever name they end with, each is allowed.
            for name in names[:1] if self.folders else names:
                # One of the folders that the first key lies in is the one, if any is.
                allowed = tuple(f"{folder}{each}/" for folder in self.folders for each in names)
                tried = [allowed] if allowed else [(f,) for f in self.folders_of(reached, name)]
                beside = [
                    self.beside(folders, identity, self.focus)
                    or (None if allowed else self.beside(folders, identity, others, (ANY, "/", ANY, *name, "/", ANY)))
                    for folders in tried
                ]
                if None in beside:
                    break
                found += [key for key in beside if key is not None]
            else:
                return identity, (reached, *found)
        return None

    def folders_of(self, key: str, identity: str) -> list[str]:
        """The identity's own folders that `BUCKET/KEY` lies in."""
        return [key[: m.start() + len(identity) + 1] for m in re.finditer(f"(?={re.escape(identity)}/)", key)]

    def beside(
        self, folders: Iterable[str], identity: str, roles: Sequence[Role] | None = None, within: Glob = (ANY,)
    ) -> str | None:
        """An object that an identity reaches and that lies in none of some folders, but within a pattern."""
        globs = [(*folder, ANY) for folder in folders]
        for place, bound in self.places.items():
            bits = self.reach(identity, place, roles)
            if bits and within != (ANY,):
                bits &= self._keys_of([within], place, place.name)
            if outside := bits and bits & ~self._keys_of(globs, place, place.name):
                return place.name + self.keys.first(outside, bound)
        return None

    def _everything(self, identity: str, roles: Sequence[Role]) -> Iterator[str]:
        """A key of each place in which an identity reaches some."""
        for place, bound in self.places.items():
            if bits := self.reach(identity, place, roles):
                yield place.name + self.keys.first(bits, bound)

    def has_some(self, identity: str, folder: str) -> bool:
        """Whether an identity reaches some object in a folder, as `BUCKET/KEY`: by a key that goes on for little, or that
        documents spell out but for their wildcards."""
        bucket, _, head = folder.partition("/")
        place = Place(bucket, head)
        self.places[place] = max(self.places.values())
        try:
            return bool(self.reach(identity, place)) or any(self.spelt_out(identity, place))
        finally:
            del self.places[place]

    def spelt_out(self, identity: str, place: Place) -> Iterator[str]:
        """Keys of a place, of whatever length, that documents spell out but for their wildcards, one alone or two together,
        if the identity reaches them."""
        context = Context(identity)
        globs: dict[Glob, None] = {}
        for role in self.roles:
            for how, statement in self._statements(role, place.bucket):
                if how == _DENY and not statement.not_resource:
                    continue
                for glob in resource_globs(statement, context):
                    globs |= dict.fromkeys(behind(frozenset({glob}), f"arn:aws:s3:::{place.name}"))
                for value, test in ((v, c) for c in statement.conditions if c.key == "s3:prefix" for v in c.values):
                    prefix, _ = glob_of(value, statement.expands, "Like" in test.operator, context, True)
                    if prefix is not None:
                        fold = "IgnoreCase" in test.operator
                        globs |= dict.fromkeys(behind(frozenset({(*prefix, ANY)}), place.head, fold))
        for glob in globs:
            for any_, one in (("", "y"), ("", "z"), ("x", "x"), ("x/", "z")):
                filled = "".join({ANY: any_, WITHIN: any_, ONE: one}.get(p, p) for p in glob)
                if self.reaches(identity, place.bucket, place.head + filled):
                    yield place.name + filled
        for pair in combinations(globs, 2):
            for word in islice(common(*pair), 20):
                if self.reaches(identity, place.bucket, place.head + word):
                    yield place.name + word

    def escalation(self, role_arns: Iterable[str]) -> Call | None:
        """A request of some identity that widens a role; what is asked of IAM is asked for some roles' ARNs."""
        buckets = dict.fromkeys(place.bucket for place in self.places)
        asked = [(action, f"arn:aws:s3:::{bucket}") for action in ON_BUCKETS for bucket in buckets]
        asked += [(action, arn) for action in ON_ROLES for arn in role_arns]
        asked += [(action, f"arn:aws:cognito-identity:r:{ACCOUNT}:identitypool/p") for action in ON_POOLS]
        for role in self.focus:
            for action, arn in asked:
                statements = self._statements(role, _bucket(arn))
                if not any(s.effect is Effect.ALLOW and speaks_of(s, action) for _, s in statements):
                    continue
                for identity in filter(role.is_for, self.identities):
                    if self.allows(call := Call(identity, action, arn), role):
                        return call
        return None


def _bucket(arn: str) -> str | None:
    head, found, tail = arn.partition(":s3:::")
    return tail.partition("/")[0] if found and head.startswith("arn:") else None


def _combined(described: Iterable[tuple[str, int]], bounded: bool) -> dict[str, int]:
    """By what allows it, what is allowed: a Deny wins, and a boundary limits the role's own documents and what its ARN is
    granted."""
    sums: dict[str, int] = {}
    for how, bits in described:
        sums[how] = sums.get(how, 0) | bits
    denied = sums.pop(_DENY, 0)
    boundary = sums.pop(_BOUNDARY, 0)
    if bounded:
        for how in (OWN, BOUNDED):
            if how in sums:
                sums[how] &= boundary
    return {how: left for how, bits in sums.items() if (left := bits & ~denied)}
