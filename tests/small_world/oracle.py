"""What a set of documents allows, by brute force: every identity of a small world, every short key, every prefix.

Nothing is shared with the proofs but the parser. The semantics are scope.md's table of IAM facts, written down a second
time: what is not understood widens an Allow and never narrows it. `Oracle.reach` and `Oracle.opened` are sets of keys, bit
by bit; `Oracle.allows` decides one request, by regular expressions; a test compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, IntEnum
from functools import lru_cache

from policies.identity_scope.iam.documents import Condition, Document, Effect, Principals, Statement

from .keys import ANY, ONE, WITHIN, Glob, Keys, matches, rest
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


@dataclass(frozen=True)
class Call:
    """One request of an identity, or, without credentials, of nobody. `prefix` is None where the request has none."""

    identity: str | None
    action: str
    arn: str
    prefix: str | None = None

    def value(self, key: str) -> str | NoValue:
        """What the request holds under a condition key."""
        key = key.lower()
        issuer, _, name = key.rpartition(":")
        if issuer in FOREIGN and name in ("sub", "aud", "amr"):
            return NoValue.ABSENT
        if issuer == ISSUER and self.identity is None:
            return NoValue.ABSENT
        if key == f"{ISSUER}:sub":
            return self.identity or NoValue.ABSENT
        if key in ("s3:prefix", "s3:delimiter", "s3:max-keys"):
            if self.action not in LISTING:
                return NoValue.ABSENT
            if key == "s3:prefix":
                return NoValue.ABSENT if self.prefix is None else self.prefix
        return NoValue.UNKNOWN


Value = Callable[[str], "str | NoValue"]


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


def glob_of(text: str, expands: bool, wildcards: bool, value: Value, wide: bool) -> tuple[Glob | None, bool]:
    """The glob for one request, None where it matches nothing; and whether a variable's value is not known."""
    found: list[str] = []
    for piece in pieces(text, expands, wildcards):
        if isinstance(piece, str):
            found.append(piece)
            continue
        held = value(piece.key)
        if held is NoValue.UNKNOWN:
            if not wide:
                return None, True
            # Whatever it is: nothing before or after it can be relied on to be all there is.
            found.append(ANY)
        elif held is NoValue.ABSENT:
            if piece.default is None:
                return None, False
            found.extend(piece.default)
        else:
            assert isinstance(held, str)
            found.extend(held)
    unknown = any(isinstance(p, Variable) and value(p.key) is NoValue.UNKNOWN for p in pieces(text, expands, wildcards))
    return tuple(found), unknown


def resource_glob(text: str, expands: bool, value: Value, larger: bool) -> Glob | None:
    """A Resource or NotResource; its set is made `larger` or smaller where AWS leaves something open."""
    if text.startswith("arn:") and (missing := 5 - text.count(":")) > 0:
        text += ":*" * missing
    glob, _ = glob_of(text, expands, True, value, larger)
    if glob is None or larger:
        return glob
    return tuple(
        WITHIN if part == ANY and index + 1 < len(glob) and glob[index + 1] != ":" else part
        for index, part in enumerate(glob)
    )


def truth(condition: Condition, value: Value, expands: bool) -> Truth:
    """One operator on one key, for one request."""
    held = value(condition.key)
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
    best = Truth.NO
    for text in condition.values:
        glob, unknown = glob_of(text, expands, "Like" in condition.operator, value, True)
        if glob is not None and matches(glob, held, condition.operator.endswith("IgnoreCase")):
            best = max(best, Truth.MAYBE if unknown else Truth.YES)
    found = Truth(2 - best) if negated else best
    # Whether one empty string counts as no value is left open.
    return max(found, Truth.MAYBE) if condition.qualifier == "ForAllValues" and not held else found


def least(statement: Statement) -> Truth:
    """How true the conditions must be: an Allow applies where they may hold, a Deny where they do."""
    return Truth.MAYBE if statement.effect is Effect.ALLOW else Truth.YES


def resource_globs(statement: Statement, value: Value) -> list[Glob] | None:
    """The globs of Resource or NotResource; None where the statement does not apply whatever is asked for."""
    larger = (statement.effect is Effect.ALLOW) is not statement.not_resource
    globs = [resource_glob(text, statement.expands, value, larger) for text in statement.resources]
    if statement.not_resource and statement.effect is Effect.DENY and None in globs:
        return None
    return [glob for glob in globs if glob is not None]


def resource_applies(statement: Statement, arn: str, value: Value) -> bool:
    globs = resource_globs(statement, value)
    return globs is not None and any(matches(glob, arn) for glob in globs) is not statement.not_resource


@lru_cache(maxsize=50_000)
def action_applies(patterns: tuple[str, ...], negated: bool, action: str) -> bool:
    """Whether Action or NotAction speaks of an action; names ignore case."""
    return any(matches(tuple({"*": ANY, "?": ONE}.get(c, c) for c in p), action, True) for p in patterns) is not negated


def speaks_of(statement: Statement, action: str) -> bool:
    return action_applies(statement.actions, statement.not_action, action)


def applies(statement: Statement, call: Call) -> bool:
    """Whether a statement applies to a request; an Allow, whether it may."""
    return (
        speaks_of(statement, call.action)
        and resource_applies(statement, call.arn, call.value)
        and all(truth(c, call.value, statement.expands) >= least(statement) for c in statement.conditions)
    )


OWN, BOUNDED, SESSIONS, EVERYONE = "its own documents", "its ARN", "its sessions", "everyone"
"""What allows a request: the role's own documents, or a bucket policy that names the role, its sessions or everyone."""
_DENY, _BOUNDARY = "deny", "boundary"


def granted_to(principals: Principals, role: Role | None) -> str | None:
    """As what a bucket policy's Allow reaches a role, or a caller without any. An account only delegates; everyone but some
    is everyone; whoever asks for a session without the pool's help may choose its name."""
    values = [value for _, value in principals.entries]
    if principals.negated or "*" in values:
        return EVERYONE
    if role is None:
        return None
    sessions = role.session.removesuffix(SESSION)
    if any(value.startswith(sessions) for value in values) or ("Federated", ISSUER) in principals.entries:
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


class Oracle:
    """A set of roles and bucket policies, and what each identity may do through them."""

    def __init__(
        self,
        shape: SmallShape,
        roles: tuple[Role, ...],
        policies: dict[str, Document],
        shared: tuple[SharedSpace, ...],
        folders: tuple[str, ...],
        keys: Keys,
        buckets: dict[str, int],
    ) -> None:
        """Args:
        policies: bucket policies, by bucket.
        folders: the only folders that are allowed, as `BUCKET/PREFIX`; none: any one folder will do.
        buckets: the buckets to look at, and how far the keys of each go.
        """
        self.shape = shape
        self.roles = roles
        self.policies = policies
        self.shared = shared
        self.folders = folders
        self.keys = keys
        self.buckets = buckets
        self._reach: dict[tuple[str, str], int] = {}

    def _statements(self, role: Role | None, bucket: str | None) -> Iterator[tuple[str, Statement]]:
        """What could apply to a role's requests to a bucket, with what each statement does."""
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
                elif how := granted_to(statement.principals, role):
                    yield how, statement

    # One request

    def allows(self, call: Call, role: Role | None) -> set[str]:
        """As what a request is allowed; empty where it is not."""
        applying = ((how, int(applies(s, call))) for how, s in self._statements(role, _bucket(call.arn)))
        return set(_combined(applying, role is not None and role.boundary is not None))

    def reaches(self, identity: str, bucket: str, key: str) -> bool:
        """Whether an identity reaches one key through some role, asked request by request."""
        arn = f"arn:aws:s3:::{bucket}"
        prefixes = [None, *(key[:n] for n in range(len(key) + 1))]
        calls = [Call(identity, action, f"{arn}/{key}") for action in OBJECT_ACTIONS]
        calls += [Call(identity, action, arn, prefix) for action in LISTING for prefix in prefixes]
        return any(
            self.allows(call, role) - {EVERYONE} and not self.is_shared(call.action, identity, bucket, key)
            for call in calls
            for role in self.roles
        )

    def is_shared(self, action: str, identity: str, bucket: str, key: str) -> bool:
        return any(matches(glob, f"{bucket}/{key}") for glob in self._spaces(action, identity))

    def _spaces(self, action: str, identity: str) -> list[Glob]:
        value = Call(identity, OBJECT_ACTIONS[0], "").value
        globs = [glob_of(s.pattern, True, True, value, False)[0] for s in self.shared if action in s.actions]
        return [glob for glob in globs if glob is not None]

    # All keys

    def reach(self, identity: str, bucket: str) -> int:
        """The keys of a bucket that an identity reaches through some role."""
        if (identity, bucket) in self._reach:
            return self._reach[identity, bucket]
        found = 0
        for action in (*OBJECT_ACTIONS, *LISTING):
            mine = 0
            for role in self.roles:
                mine |= self._keys_through(role, identity, action, bucket, (OWN, BOUNDED, SESSIONS))
            if mine:
                mine &= ~self._keys_of(self._spaces(action, identity), bucket, f"{bucket}/")
            found |= mine
        self._reach[identity, bucket] = found & ~1  # no object has an empty key
        return self._reach[identity, bucket]

    def opened(self, identity: str, bucket: str) -> int:
        """The keys of a bucket that its policy opens to everyone; the identity may come with a role, or without."""
        found = 0
        for action in (*OBJECT_ACTIONS, *LISTING):
            for role in self.roles:
                found |= self._keys_through(role, identity, action, bucket, (EVERYONE,))
            found |= self._keys_through(None, None, action, bucket, (EVERYONE,))
        return found & ~1

    def _keys_through(
        self, role: Role | None, identity: str | None, action: str, bucket: str, kinds: tuple[str, ...]
    ) -> int:
        """The keys that one action reaches, by what allows it."""
        call = Call(identity, action, f"arn:aws:s3:::{bucket}")
        ask = self._prefixes if action in LISTING else self._objects
        described = [(how, ask(s, call, bucket)) for how, s in self._statements(role, bucket) if speaks_of(s, action)]
        allowed = _combined(described, role is not None and role.boundary is not None)
        found = 0
        for kind in kinds:
            found |= allowed.get(kind, 0)
        if action not in LISTING:
            return found
        bound = self.buckets[bucket]
        return self.keys.every(bound) if found & 1 else self.keys.beginning(found >> 1, bound)

    def _objects(self, statement: Statement, call: Call, bucket: str) -> int:
        """The keys of the objects that a statement applies to."""
        if not all(truth(c, call.value, statement.expands) >= least(statement) for c in statement.conditions):
            return 0
        globs = resource_globs(statement, call.value)
        if globs is None:
            return 0
        bits = self._keys_of(globs, bucket, f"arn:aws:s3:::{bucket}/")
        return self.keys.every(self.buckets[bucket]) & ~bits if statement.not_resource else bits

    def _keys_of(self, globs: Iterable[Glob], bucket: str, head: str) -> int:
        here = frozenset(globs)
        for letter in head:
            here = rest(here, letter)
        return self.keys.matching(here, self.buckets[bucket])

    def _prefixes(self, statement: Statement, call: Call, bucket: str) -> int:
        """The values of `s3:prefix` that a statement applies to, from the second bit on; the first is that of no prefix."""
        if not resource_applies(statement, call.arn, call.value):
            return 0
        found = self.keys.every(self.buckets[bucket]) << 1 | 1
        for condition in statement.conditions:
            if condition.key == "s3:prefix":
                found &= self._prefixes_where(condition, statement, call, self.buckets[bucket])
            elif truth(condition, call.value, statement.expands) < least(statement):
                return 0
        return found

    def _prefixes_where(self, condition: Condition, statement: Statement, call: Call, bound: int) -> int:
        every = self.keys.every(bound)
        allow = statement.effect is Effect.ALLOW
        absent = truth(condition, call.value, statement.expands) >= least(statement)
        if condition.operator == "Null":
            present = Call(call.identity, call.action, call.arn, "")
            return (every if truth(condition, present.value, statement.expands) is Truth.YES else 0) << 1 | absent
        negated = "Not" in condition.operator
        globs = [
            glob_of(text, statement.expands, "Like" in condition.operator, call.value, allow is not negated)[0]
            for text in condition.values
        ]
        fold = condition.operator.endswith("IgnoreCase")
        bits = self.keys.matching(frozenset(glob for glob in globs if glob is not None), bound, fold)
        if negated:
            bits = every & ~bits
        if condition.qualifier == "ForAllValues" and allow:
            bits |= 1  # as for one request
        return bits << 1 | absent

    # The invariants

    def leak(self) -> tuple[str, str, str] | None:
        """Two identities and an object that both reach, or that one reaches and the other as one of everyone."""
        identities = self.shape.identities
        for bucket, bound in self.buckets.items():
            reach = [self.reach(identity, bucket) for identity in identities]
            if not any(reach):
                continue
            opened = [self.opened(identity, bucket) if bucket in self.policies else 0 for identity in identities]
            for i, mine in enumerate(identities):
                for j, theirs in enumerate(identities):
                    if i != j and (both := (reach[i] | opened[i]) & reach[j]):
                        return mine, theirs, f"{bucket}/{self.keys.first(both, bound)}"
        return None

    def outside(self) -> tuple[str, tuple[str, ...]] | None:
        """An identity, and objects that it reaches and that lie in no one folder of its own."""
        for identity in self.shape.identities:
            reached = [f"{b}/{self.keys.first(bits, self.buckets[b])}" for b, bits in self._everything(identity)]
            if not reached:
                continue
            # One of the folders that the first key lies in is the one, if any is.
            allowed = tuple(f"{folder}{identity}/" for folder in self.folders)
            tried = [allowed] if allowed else [(f,) for f in self.folders_of(reached[0], identity)]
            beside = [self.beside(folders, identity) for folders in tried]
            if None not in beside:
                return identity, (reached[0], *(key for key in beside if key is not None))
        return None

    def folders_of(self, key: str, identity: str) -> list[str]:
        """The identity's own folders that `BUCKET/KEY` lies in."""
        return [key[: m.start() + len(identity) + 1] for m in re.finditer(f"(?={re.escape(identity)}/)", key)]

    def beside(self, folders: Iterable[str], identity: str) -> str | None:
        """An object that an identity reaches and that lies in none of some folders."""
        globs = [(*folder, ANY) for folder in folders]
        for bucket, bits in self._everything(identity):
            outside = bits & ~self._keys_of(globs, bucket, f"{bucket}/")
            if outside:
                return f"{bucket}/{self.keys.first(outside, self.buckets[bucket])}"
        return None

    def with_longer_keys(self) -> Oracle:
        """The same set, with few letters, and keys that hold five IDs."""
        names = {*self.shape.identities}
        if self.shape.region[0].upper() in self.keys.letters:
            names |= {name.upper() for name in names}
        keys = Keys("xz", sorted(names))
        far = 22 if self.shape.some else 26
        buckets = {bucket: far if index == 0 else 16 for index, bucket in enumerate(self.buckets)}
        return Oracle(self.shape, self.roles, self.policies, self.shared, self.folders, keys, buckets)

    def spelt_out(self, identity: str) -> Iterator[str]:
        """Keys, of whatever length, that documents spell out but for their wildcards, if the identity reaches them."""
        value = Call(identity, OBJECT_ACTIONS[0], "").value
        found: set[str] = set()
        for bucket in {*self.buckets, "byy"}:
            statements = [s for role in self.roles for _, s in self._statements(role, bucket)]
            for statement in statements:
                here = frozenset(resource_globs(statement, value) or [])
                for letter in f"arn:aws:s3:::{bucket}/":
                    here = rest(here, letter)
                prefixes = [
                    glob_of(text, statement.expands, "Like" in condition.operator, value, True)[0]
                    for condition in statement.conditions
                    if condition.key == "s3:prefix"
                    for text in condition.values
                ]
                for glob in [*here, *((*p, "z") for p in prefixes if p is not None)]:
                    for any_, one in (("", "z"), ("x", "x"), ("x/", "z")):
                        filled = ({ANY: any_, WITHIN: any_, ONE: one}.get(part, part) for part in glob)
                        found.add(f"{bucket}/{''.join(filled)}")
        for word in sorted(found):
            bucket, _, key = word.partition("/")
            if key and self.reaches(identity, bucket, key):
                yield word

    def _everything(self, identity: str) -> Iterator[tuple[str, int]]:
        for bucket in self.buckets:
            if bits := self.reach(identity, bucket):
                yield bucket, bits

    def escalation(self, role_arns: Iterable[str]) -> Call | None:
        """A request of some identity that widens a role; what is asked of IAM is asked for some roles' ARNs."""
        asked = [(action, f"arn:aws:s3:::{bucket}") for action in ON_BUCKETS for bucket in self.buckets]
        asked += [(action, arn) for action in ON_ROLES for arn in role_arns]
        asked += [(action, f"arn:aws:cognito-identity:r:{ACCOUNT}:identitypool/p") for action in ON_POOLS]
        asked = [
            (action, arn)
            for action, arn in asked
            if any(speaks_of(s, action) for r in self.roles for _, s in self._statements(r, _bucket(arn)))
        ]
        for identity in self.shape.identities:
            for action, arn in asked:
                call = Call(identity, action, arn)
                if any(self.allows(call, role) for role in self.roles):
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
