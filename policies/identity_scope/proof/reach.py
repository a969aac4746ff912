"""What one identity reaches, as languages: words are object ARNs, `arn:PARTITION:s3:::BUCKET/KEY`.

`objects(A)` is the set of ARNs on which some action is allowed; `names(A)` is the set of ARNs whose keys A can learn by
listing, because a permitted value of `s3:prefix` begins them. Each is a deterministic machine that is made as it is walked.

INVARIANT (widening). What is not understood widens an Allow and never narrows it. A machine that had to be widened says
which conditions it assumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import TypeAlias

from ..automata.globs import GlobSet, Loose, Pattern, Text, Wild, literal, unknown_text
from ..iam.actions import LIST_ACTIONS, OBJECT_ACTIONS, POINT_ACTIONS, future, groups, mask
from ..iam.callers import made_by
from ..iam.claims import TAG_KEY, Language, Session, Tag
from ..iam.conditions import LIKE_OPERATORS, Truth, holds, negates
from ..iam.documents import Condition, Effect, Statement
from ..iam.evaluator import Reading, Request, action_matches, resource_patterns, unresolved
from ..iam.issuers import OTHER_PROVIDERS, Shape, known_issuers
from ..iam.principals import Grantee, delegates, denies_everyone, grantee, is_denied, names_everyone
from ..iam.variables import Free, Lookup, Missing, Values, concretise, template
from ..inventory.declared import Shared
from ..inventory.principal import AccessPoint, BucketPolicy, Principal
from .access_points import by_bucket, may_name, names_alias, of_point, through_point
from .directory_buckets import is_directory, of_directory, within_directory
from .identities import PRIVATE, beginning
from .sessions import slots

PREFIX_KEY = "s3:prefix"
LISTING_KEYS = frozenset({PREFIX_KEY, "s3:delimiter", "s3:max-keys"})
"""Condition keys that only listing requests have."""


class AllObjects:
    """All ARNs of objects in a shape's partition, and some more where documents name buckets shorter than AWS allows."""

    _BUCKET = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")

    def __init__(self, shape: Shape) -> None:
        self._head = f"arn:{shape.partition}:s3:::"
        self._named = len(self._head) + min((3, *map(len, shape.short_buckets)))
        self.start = 0
        self.weight = 1
        # Characters of bucket names are alike here; those that a document tells apart are letters of its own machines.
        self.letters = frozenset(self._head) | {"/"}

    def step(self, state: int, letter: str) -> int:
        """States: characters of the head; then of the bucket's name, as far as they count; then the key. -1 is dead."""
        if state < 0:
            return -1
        if state < len(self._head):
            return state + 1 if letter == self._head[state] else -1
        if state <= self._named:
            if letter in self._BUCKET:
                return min(state + 1, self._named)
            return self._named + 1 if letter == "/" and state == self._named else -1
        return self._named + 2

    def accepts(self, state: int) -> bool:
        return state == self._named + 2

    def dead(self, state: int) -> bool:
        return state < 0

    def viable(self, state: int) -> frozenset[str] | None:
        if state < len(self._head):
            return frozenset(self._head[state]) if state >= 0 else frozenset()
        return None if state > self._named else self._BUCKET | {"/"}


@dataclass(frozen=True)
class ResourceTest:
    """A statement's resources where patterns alone do not say it: their complement, or only those of one bucket."""

    patterns: GlobSet
    negated: bool
    within: GlobSet


_EVERYWHERE: Pattern = (Wild.ANY,)


class ResourceUnion:
    """A union of resource tests: patterns, complements of patterns (NotResource), and either within one bucket."""

    def __init__(
        self, patterns: Sequence[Pattern], tests: Sequence[ResourceTest] = (), loose: Loose | None = None
    ) -> None:
        self._patterns = GlobSet(patterns, loose=loose)
        self._tests = list(tests)
        self.patterns = [*patterns, *([(Wild.ANY,)] if tests else [])]

    @cached_property
    def _machines(self) -> list[GlobSet]:
        return [self._patterns, *(m for test in self._tests for m in (test.patterns, test.within))]

    @cached_property
    def letters(self) -> frozenset[str]:
        return frozenset().union(*(m.letters for m in self._machines))

    @cached_property
    def start(self) -> tuple[int, ...]:
        return tuple(m.start for m in self._machines)

    @cached_property
    def weight(self) -> int:
        return sum(m.weight for m in self._machines)

    def step(self, state: tuple[int, ...], letter: str) -> tuple[int, ...]:
        return tuple(m.step(s, letter) for m, s in zip(self._machines, state, strict=True))

    def accepts(self, state: tuple[int, ...]) -> bool:
        if self._patterns.accepts(state[0]):
            return True
        for index, test in enumerate(self._tests):
            patterns, within = state[1 + 2 * index], state[2 + 2 * index]
            if test.within.accepts(within) and test.patterns.accepts(patterns) is not test.negated:
                return True
        return False

    def dead(self, state: tuple[int, ...]) -> bool:
        return not self._tests and state[0] == 0

    def viable(self, state: tuple[int, ...]) -> frozenset[str] | None:
        return None if self._tests else self._patterns.viable(state[0])


ObjectState: TypeAlias = tuple[tuple[int, ...], ...]


class ObjectReach:
    """ARNs on which a group of actions is allowed: some Allow, the boundary if any, no Deny, not shared."""

    def __init__(
        self,
        principal: str,
        action: str,
        layers: Sequence[ResourceUnion],
        negative: ResourceUnion,
        actions: int,
        universe: tuple[str, ...],
        allows: Sequence[Applied],
    ) -> None:
        """Args:
        principal: the role's name.
        action: the group's first action.
        layers: what must accept: the Allows, and the boundary's.
        negative: what must not: the Denies and the shared spaces.
        actions: the group, as bits of `universe`.
        allows: the statements that grant it.
        """
        self.principal = principal
        self.action = action
        self.actions = actions
        self.universe = universe
        self.allows = list(allows)
        self._layers = list(layers)
        self._negative = negative

    @cached_property
    def letters(self) -> frozenset[str]:
        return self._negative.letters.union(*(layer.letters for layer in self._layers))

    @cached_property
    def start(self) -> ObjectState:
        return (*(layer.start for layer in self._layers), self._negative.start)

    @cached_property
    def weight(self) -> int:
        return self._negative.weight + sum(layer.weight for layer in self._layers)

    @cached_property
    def prefixes(self) -> list[str]:
        """Literal beginnings, one of which every word has; from the layer that says most."""
        candidates = [[beginning(p) for p in layer.patterns] for layer in self._layers]
        return max(candidates, key=lambda heads: min(map(len, heads), default=0))

    def step(self, state: ObjectState, letter: str) -> ObjectState:
        return (
            *(layer.step(s, letter) for layer, s in zip(self._layers, state[:-1], strict=True)),
            self._negative.step(state[-1], letter),
        )

    def accepts(self, state: ObjectState) -> bool:
        return all(
            layer.accepts(s) for layer, s in zip(self._layers, state[:-1], strict=True)
        ) and not self._negative.accepts(state[-1])

    def dead(self, state: ObjectState) -> bool:
        return any(layer.dead(s) for layer, s in zip(self._layers, state[:-1], strict=True))

    def viable(self, state: ObjectState) -> frozenset[str] | None:
        only: frozenset[str] | None = None
        for layer, each in zip(self._layers, state[:-1], strict=True):
            viable = layer.viable(each)
            if viable is not None:
                only = viable if only is None else only & viable
        return only


@dataclass(frozen=True)
class PrefixTest:
    """One condition on `s3:prefix`, as a language of prefixes.

    Attributes:
        absent: whether it holds for a request without a prefix.
        empty: whether it holds for the empty prefix.
        machine: the prefixes that it accepts, or that it refuses where `negated`; None: the same for all, `constant`.
    """

    absent: bool
    empty: bool
    machine: GlobSet | None
    negated: bool
    constant: bool

    def accepts(self, state: int) -> bool:
        return self.constant if self.machine is None else self.machine.accepts(state) is not self.negated


@dataclass(frozen=True)
class Listing:
    """A statement about listing: the buckets, and the prefixes under which it applies."""

    role: str
    """The kind of the statement, as of `Applied`."""
    buckets: ResourceUnion
    tests: tuple[PrefixTest, ...]


ListState: TypeAlias = tuple[tuple[int, ...], tuple[object, ...]]
_LISTED = ("listed",)


class ListingReach:
    """ARNs of objects whose keys can be learnt by one listing action.

    A word is read in two phases: up to the `/` after the bucket's name the statements' resources are matched against the
    bucket's ARN; from there on, the key so far is a prefix that a request could name. Once one is permitted, every
    longer key is learnt.
    """

    def __init__(
        self,
        principal: str,
        action: str,
        listings: Sequence[Listing],
        limits: Sequence[str],
        shared: ResourceUnion,
        allows: Sequence[Applied],
    ) -> None:
        self.principal = principal
        self.action = action
        self.allows = list(allows)
        self._listings = list(listings)
        self._needed = {"allow", *limits}
        self._shared = shared

    @cached_property
    def _machines(self) -> list[GlobSet]:
        return [t.machine for item in self._listings for t in item.tests if t.machine is not None]

    @cached_property
    def letters(self) -> frozenset[str]:
        parts = [
            self._shared.letters,
            *(i.buckets.letters for i in self._listings),
            *(m.letters for m in self._machines),
        ]
        return frozenset({"/", ":"}).union(*parts)

    @cached_property
    def weight(self) -> int:
        return sum(i.buckets.weight for i in self._listings) + sum(m.weight for m in self._machines)

    @cached_property
    def start(self) -> ListState:
        return (self._shared.start, ("bucket", *(item.buckets.start for item in self._listings)))

    @cached_property
    def prefixes(self) -> list[str]:
        found: list[str] = []
        for listing in self._listings:
            if listing.role != "allow":
                continue
            for pattern in listing.buckets.patterns:
                arn = beginning(pattern)
                if len(arn) < len(pattern) or not listing.tests:
                    found.append(arn)
                    continue
                test = listing.tests[0]
                if test.absent or test.empty or test.machine is None or test.negated or test.machine.fold:
                    found.append(f"{arn}/")
                else:
                    found.extend(f"{arn}/{head}" for head in map(beginning, test.machine.patterns))
        return found

    def step(self, state: ListState, letter: str) -> ListState:
        shared = self._shared.step(state[0], letter)
        inner = state[1]
        if inner == _LISTED:
            return shared, _LISTED
        if inner[0] == "bucket":
            buckets: tuple[tuple[int, ...], ...] = inner[1:]  # type: ignore[assignment]
            if letter != "/":
                return shared, (
                    "bucket",
                    *(item.buckets.step(s, letter) for item, s in zip(self._listings, buckets, strict=True)),
                )
            return shared, self._opened(buckets)
        return shared, self._key(inner, letter)

    def _opened(self, buckets: tuple[tuple[int, ...], ...]) -> tuple[object, ...]:
        """The state after the bucket's name, where the prefix is absent or empty so far."""
        matched = sum(
            1 << i for i, (item, s) in enumerate(zip(self._listings, buckets, strict=True)) if item.buckets.accepts(s)
        )
        absent = self._permits(matched, [all(t.absent for t in item.tests) for item in self._listings])
        empty = self._permits(matched, [all(t.empty for t in item.tests) for item in self._listings])
        if absent or empty:
            return _LISTED
        starts = tuple(t.machine.start if t.machine is not None else 0 for item in self._listings for t in item.tests)
        return ("key", matched, starts)

    def _key(self, inner: tuple[object, ...], letter: str) -> tuple[object, ...]:
        matched: int = inner[1]  # type: ignore[assignment]
        before: tuple[int, ...] = inner[2]  # type: ignore[assignment]
        after: list[int] = []
        holding: list[bool] = []
        index = 0
        for item in self._listings:
            all_hold = True
            for test in item.tests:
                state = test.machine.step(before[index], letter) if test.machine is not None else 0
                after.append(state)
                index += 1
                all_hold = all_hold and test.accepts(state)
            holding.append(all_hold)
        if self._permits(matched, holding):
            return _LISTED
        return ("key", matched, tuple(after))

    def _permits(self, matched: int, holding: Sequence[bool]) -> bool:
        roles = {item.role for i, item in enumerate(self._listings) if matched >> i & 1 and holding[i]}
        return "deny" not in roles and roles >= self._needed

    def accepts(self, state: ListState) -> bool:
        return state[1] == _LISTED and not self._shared.accepts(state[0])

    def dead(self, state: ListState) -> bool:
        inner = state[1]
        if inner == _LISTED:
            return False
        if inner[0] == "bucket":
            return all(
                item.role != "allow" or item.buckets.dead(s)  # type: ignore[arg-type]
                for item, s in zip(self._listings, inner[1:], strict=True)
            )
        return not any(True for _ in self._alive(inner))

    def _alive(self, inner: tuple[object, ...]) -> Iterable[tuple[Listing, tuple[int, ...]]]:
        """Allows that may still come to hold, with their tests' states."""
        matched: int = inner[1]  # type: ignore[assignment]
        states: tuple[int, ...] = inner[2]  # type: ignore[assignment]
        index = 0
        for i, item in enumerate(self._listings):
            own = states[index : index + len(item.tests)]
            index += len(item.tests)
            if item.role != "allow" or not matched >> i & 1:
                continue
            if all(
                (t.constant if t.machine is None else t.negated or s != 0) for t, s in zip(item.tests, own, strict=True)
            ):
                yield item, own

    def viable(self, state: ListState) -> frozenset[str] | None:
        inner = state[1]
        found: set[str] = set()
        if inner == _LISTED:
            return None
        if inner[0] == "bucket":
            for item, s in zip(self._listings, inner[1:], strict=True):
                if item.role == "allow":
                    viable = item.buckets.viable(s)  # type: ignore[arg-type]
                    if viable is None:
                        return None
                    found |= viable
            return frozenset(found | {"/"})
        for item, own in self._alive(inner):
            if not item.tests or item.tests[0].machine is None or item.tests[0].negated:
                return None
            viable = item.tests[0].machine.viable(own[0])
            if viable is None:
                return None
            found |= viable
        return frozenset(found)


Reach: TypeAlias = "ObjectReach | ListingReach"


@dataclass(frozen=True)
class Tags:
    """What stands for the values of the principal tags that a kind of sessions leaves open, by the tag's key.

    Attributes:
        uuids: UUIDs, which may hold letters for digits that are not known.
        texts: the numbers of texts.
        named: values that are known.
        without_slash: tags whose values have no `/`, as the configuration declares.
    """

    uuids: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, int] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)
    without_slash: frozenset[str] = frozenset()

    def value(self, tag: Tag, slot: str, shape: Shape) -> tuple[str] | Free:
        """A tag's value, or that it is any one. `slot` is the first tag of the same claim."""
        known = tag.value if tag.value is not None else self.named.get(slot)
        if known is not None:
            return (known,)
        if tag.claim is not None and tag.claim.language is Language.UUID:
            uuid = self.uuids.get(slot)
            return (uuid,) if uuid is not None else Free((Wild.ONE,) * len(shape.uuid("0" * shape.size)))
        number = self.texts.get(slot)
        closed = slot in self.without_slash or tag.slash is False
        some = (Wild.ONE, Wild.ANY) if number is None else unknown_text(number, "/" if closed else "")
        return Free(some, tag.besides, False if closed else tag.slash)


@dataclass(frozen=True)
class Caller:
    """An identity of a pool, as the context of its requests.

    Keys of other issuers are certainly absent; whatever else there is may be anything.

    Attributes:
        identity: its ID, which may hold letters for digits that are not known.
        loose: the letters that such digits have, which what is granted takes as digits; None where all are known.
        anonymous: whether the requests come without credentials, and so without the identity.
        session: the kind of the session that makes the requests; None: any tag may be any string, or absent.
        tags: the values of tags that a kind of sessions leaves open.
    """

    identity: str
    shape: Shape
    issuers: frozenset[str] = field(default_factory=known_issuers)
    loose: Loose | None = None
    anonymous: bool = False
    session: Session | None = None
    tags: Tags = field(default_factory=lambda: Tags())

    @property
    def sub(self) -> str:
        """The condition key that holds the ID; empty where none does."""
        return "" if self.anonymous or self.shape.issuer is None else f"{self.shape.issuer}:sub"

    def loosened(self, wider: bool) -> Loose | None:
        """How to read the digits of a pattern, made wider where it grants something."""
        return self.loose if wider else None

    def of(self, principal: Principal) -> Caller:
        """The identity with the kind of sessions of a role that is looked at."""
        return self if principal.session is self.session else replace(self, session=principal.session)

    def holds(self, condition: Condition, lookup: Lookup, statement: Statement) -> Truth:
        """Whether a condition holds. Where digits are not known, one on the ID may, or one on a tag that may be the ID."""
        if self.loose is not None and condition.operator != "Null":
            names = condition.key.startswith(TAG_KEY) and any("${" in value for value in condition.values)
            if (condition.key == self.sub or names) and lookup(condition.key) is not Missing.ABSENT:
                return Truth.MAYBE
        return holds(condition, lookup, statement.expands)

    def request(self, action: str, resource: str, prefix: str | None = None) -> Request:
        """One of the identity's requests, as the evaluator takes it."""
        context: dict[str, tuple[str, ...] | Free] = {}
        if self.sub:
            context[self.sub] = (self.identity,)
        if self.session is not None and not self.anonymous:
            first = slots(self.session)
            for tag in self.session.tags:
                context[tag.key] = self.tags.value(tag, first.get(tag.key, tag.key), self.shape)
        absent = self._absent
        if action not in LIST_ACTIONS:
            absent |= LISTING_KEYS
        elif prefix is None:
            absent |= {PREFIX_KEY}
        else:
            context[PREFIX_KEY] = (prefix,)
        return Request(action, resource, context, unknown=True, absent=absent)

    @cached_property
    def _absent(self) -> frozenset[str]:
        """The keys that none of the identity's requests has."""
        others = (i for i in self.issuers if self.anonymous or i != self.shape.issuer)
        tags = (TAG_KEY,) if self.session is not None or self.anonymous else ()
        return frozenset(
            (*OTHER_PROVIDERS, *(f"{issuer}:{key}" for issuer in others for key in ("sub", "aud", "amr")), *tags)
        )


class View(Enum):
    """Whose documents are looked at."""

    ROLE = "the role"
    """What applies to a role's sessions: its own documents, and what bucket policies grant to it by name."""

    EVERYONE = "everyone"
    """What bucket policies grant to everyone, to a role's sessions."""

    ANYBODY = "anybody"
    """The same, to somebody without credentials: with no identity, and with none of the role's Denies."""


def object_reach(
    principal: Principal,
    caller: Caller,
    shared: Sequence[Shared] = (),
    universe: tuple[str, ...] = OBJECT_ACTIONS,
    view: View = View.ROLE,
) -> list[ObjectReach]:
    """`objects(A)` through one role: machines for each group of actions that the documents treat alike."""
    caller = caller.of(principal)
    request = caller.request(universe[0], "*")
    statements = counted(principal, caller, view)
    if universe is OBJECT_ACTIONS:
        universe = object_actions(statements, shared)
    spaces = [(space, mask_of(space.actions, universe)) for space in shared]
    relevant: list[tuple[Applied, int]] = []
    for each in statements:
        bits = mask(each.statement, universe)
        if not bits:
            continue
        truth = min(
            (caller.holds(c, request.lookup, each.statement) for c in each.statement.conditions), default=Truth.YES
        )
        if truth is Truth.YES or (truth is Truth.MAYBE and each.statement.effect is Effect.ALLOW):
            relevant.append((each, bits))
    found: list[ObjectReach] = []
    for part, first in groups([*(bits for _, bits in relevant), *(bits for _, bits in spaces)], universe):
        mine = [each for each, bits in relevant if bits & part]
        patterns = shared_patterns([space for space, bits in spaces if bits & part], caller)
        negative = _layer([a for a in mine if a.kind == "deny"], request.lookup, caller, patterns)
        for allows, limits in _by_limits(principal, [a for a in mine if a.kind == "allow"]):
            layers = [_layer(allows, request.lookup, caller, beside=patterns)]
            layers += [_layer([a for a in mine if a.kind == kind], request.lookup, caller) for kind in limits]
            found.append(ObjectReach(principal.name, first, layers, negative, part, tuple(universe), allows))
    return found


def object_actions(statements: Sequence[Applied], shared: Sequence[Shared]) -> tuple[str, ...]:
    """The actions on objects, and those that do not exist yet of which some statement speaks."""
    return (*OBJECT_ACTIONS, *future((each.statement for each in statements), (space.actions for space in shared)))


def limits_of(principal: Principal, each: Applied) -> tuple[str, ...]:
    """The kinds of statements that limit what an Allow grants."""
    limits = ("boundary",) if each.limited and principal.boundary is not None else ()
    return (*limits, "bucket") if each.delegated else limits


def _by_limits(principal: Principal, allows: Sequence[Applied]) -> Iterable[tuple[list[Applied], tuple[str, ...]]]:
    """Allows together with what limits them."""
    parts: dict[tuple[str, ...], list[Applied]] = {}
    for each in allows:
        parts.setdefault(limits_of(principal, each), []).append(each)
    return [(part, limits) for limits, part in sorted(parts.items(), reverse=True)]


def list_reach(
    principal: Principal, caller: Caller, shared: Sequence[Shared] = (), view: View = View.ROLE
) -> list[ListingReach]:
    """`names(A)` through one role: machines for each listing action that is allowed at all."""
    found: list[ListingReach] = []
    caller = caller.of(principal)
    statements = counted(principal, caller, view)
    for index, action in enumerate(LIST_ACTIONS):
        listings: list[tuple[Applied, Listing]] = []
        patterns = shared_patterns([s for s in shared if mask_of(s.actions, LIST_ACTIONS) >> index & 1], caller)
        lookup = without_prefix(caller.request(action, "*").lookup)
        for each in statements:
            statement = each.statement
            if not mask(statement, LIST_ACTIONS) >> index & 1:
                continue
            wide = statement.effect is Effect.ALLOW
            beside = _keys(statement, patterns) if wide else []
            others = [c for c in statement.conditions if c.key != PREFIX_KEY]
            truth = min((caller.holds(c, lookup, statement) for c in others), default=Truth.YES)
            if truth is Truth.NO or (truth is Truth.MAYBE and not wide):
                continue
            tests = tuple(
                _prefix_test(c, lookup, statement.expands, wide, caller, beside)
                for c in statement.conditions
                if c.key == PREFIX_KEY
            )
            listings.append((each, Listing(each.kind, _layer([each], lookup, caller), tests)))
        for allows, limits in _by_limits(principal, [a for a, _ in listings if a.kind == "allow"]):
            layer = _layer([], lookup, caller, patterns)
            some = [item for each, item in listings if each.kind != "allow" or each in allows]
            found.append(ListingReach(principal.name, action, some, limits, layer, allows))
    return found


@dataclass(frozen=True)
class Applied:
    """A statement that applies to a role.

    Attributes:
        kind: `allow`, `boundary` (an Allow of the boundary), `bucket` (by which a bucket allows what its access point's
            policy grants) or `deny`.
        name: its document's name.
        bucket: the bucket that it is limited to, where it stands in a bucket's policy or speaks of an access point.
        limited: whether the permissions boundary limits it.
        point: the access point by whose ARN its resources mean the bucket's objects.
        delegated: whether the bucket must allow it as well.
    """

    kind: str
    statement: Statement
    name: str
    bucket: str | None = None
    limited: bool = True
    point: AccessPoint | None = None
    delegated: bool = False

    @property
    def place(self) -> tuple[str, int]:
        return self.name, self.statement.index


def applied(principal: Principal, caller: Caller, view: View = View.ROLE) -> list[Applied]:
    """The statements that apply to a role's sessions, or to everyone."""
    if principal.through is not None:
        return list(_applied_through(principal, principal.through, caller, view))
    found: list[Applied] = []
    if view is not View.ANYBODY:
        for kind, documents in (("allow", principal.documents), ("boundary", principal.boundary or ())):
            found += [
                Applied(kind if statement.effect is Effect.ALLOW else "deny", statement, name)
                for name, document in documents
                for each in document.statements
                if (view is View.ROLE or each.effect is Effect.DENY)
                and (statement := _direct(each, principal, view, False)) is not None
            ]
    for policy in principal.resource:
        if policy.access_point is not None:
            found += _of_the_point(policy, principal, caller, view)
            continue
        for each in policy.document.statements:
            statement = _direct(each, principal, view, names_everyone(each.principals))
            if statement is None:
                continue
            if statement.effect is Effect.ALLOW:
                granted = grantee(each, principal.arns, caller.issuers)
                if granted is not None and (granted is Grantee.EVERYONE) is (view is not View.ROLE):
                    limited = granted is Grantee.ROLE
                    found.append(Applied("allow", statement, policy.name, policy.bucket, limited))
            # A bucket's policy speaks of its own bucket only, whatever its resources say; of which, must be known.
            elif policy.bucket is not None and (
                denies_everyone(statement.principals)
                or (view is not View.ANYBODY and is_denied(statement.principals, principal.arns))
            ):
                found.append(Applied("deny", statement, policy.name, policy.bucket))
    return found


def counted(principal: Principal, caller: Caller, view: View = View.ROLE) -> list[Applied]:
    """The statements that apply, without the Denies that AWS may take for invalid."""
    lookup = without_prefix(caller.request(LIST_ACTIONS[0], "*").lookup)
    return [
        each
        for each in applied(principal, caller, view)
        if each.kind != "deny" or not unresolved(each.statement, lookup)
    ]


def _direct(statement: Statement, principal: Principal, view: View, everyone: bool) -> Statement | None:
    """A statement for requests of the caller that name the bucket."""
    made = made_by(statement, principal.arns, view is View.ANYBODY)
    return by_bucket(made, principal.access_points, everyone) if made is not None else None


def _through(statement: Statement, principal: Principal, point: AccessPoint, view: View) -> Statement | None:
    """A statement for requests of the caller that come through an access point."""
    made = made_by(statement, principal.arns, view is View.ANYBODY)
    return through_point(made, point) if made is not None else None


def _of_the_point(policy: BucketPolicy, principal: Principal, caller: Caller, view: View) -> Iterable[Applied]:
    """What an access point's policy allows on the access point itself, such as to change the policy."""
    for statement in policy.document.statements:
        actions = tuple(action for action in POINT_ACTIONS if action_matches(statement, action))
        if actions and statement.effect is Effect.ALLOW:
            granted = grantee(statement, principal.arns, caller.issuers)
            if granted is not None and (granted is Grantee.EVERYONE) is (view is not View.ROLE):
                some = replace(statement, actions=actions, not_action=False)
                yield Applied("allow", some, policy.name, None, granted is Grantee.ROLE)


def _applied_through(principal: Principal, point: AccessPoint, caller: Caller, view: View) -> Iterable[Applied]:
    """The statements that apply to requests through an access point."""
    bucket = point.bucket
    for kind, documents in (("allow", principal.documents), ("boundary", principal.boundary or ())):
        for name, document in documents:
            for each in document.statements:
                statement = _through(each, principal, point, view)
                if statement is None or view is View.ANYBODY:
                    continue
                if statement.effect is Effect.DENY:
                    yield Applied("deny", statement, name, bucket, point=point)
                elif view is View.ROLE:
                    yield Applied(kind, statement, name, bucket, point=point)
                    if kind == "allow":
                        yield Applied("bucket", statement, name, bucket)
    of_bucket = [policy for policy in principal.resource if policy.access_point is None and policy.bucket == bucket]
    own = [policy for policy in principal.resource if of_point(policy, point)]
    for policy in (*of_bucket, *own):
        for each in policy.document.statements:
            statement = _through(each, principal, point, view)
            if statement is None:
                continue
            granted = grantee(each, principal.arns, caller.issuers)
            if statement.effect is Effect.DENY:
                if denies_everyone(statement.principals) or (
                    view is not View.ANYBODY and is_denied(statement.principals, principal.arns)
                ):
                    yield Applied("deny", statement, policy.name, bucket, point=point if policy in own else None)
            elif policy in own:
                if granted is not None and (granted is Grantee.EVERYONE) is (view is not View.ROLE):
                    limited = granted is Grantee.ROLE
                    yield Applied("allow", statement, policy.name, bucket, limited, point, bool(of_bucket))
            elif granted is Grantee.EVERYONE or (
                view is View.ROLE and (granted is not None or delegates(statement.principals))
            ):
                yield Applied("bucket", statement, policy.name, bucket)


def patterns_of(each: Applied, lookup: Lookup, partition: str) -> list[Pattern]:
    """The ARNs of a bucket and of its objects, or of everything, that a statement's resources mean."""
    statement = each.statement
    if each.point is not None and not statement.not_resource:
        texts = tuple(text for text in statement.resources if may_name(text, each.point, partition))
        statement = replace(statement, resources=texts)
    found, _ = resource_patterns(statement, lookup, Reading.PESSIMISTIC)
    if each.point is not None and each.bucket is not None:
        return [p for f in found for p in _behind(f, partition, each.point, each.bucket, each.kind != "deny")]
    if each.bucket is None or each.statement.not_resource:
        return found if each.kind == "deny" else [pattern for pattern in found if not _of_alias(pattern)]
    return [p for f in found for p in within_bucket(f, partition, each.bucket, each.kind != "deny")]


def _of_alias(pattern: Pattern) -> bool:
    text = beginning(pattern)
    return names_alias(text if len(text) == len(pattern) else f"{text}*")


def _behind(pattern: Pattern, partition: str, point: AccessPoint, bucket: str, wide: bool) -> list[Pattern]:
    """What a pattern of an access point's ARN, or of its alias, means of its bucket."""
    arn = literal(f"arn:{partition}:s3:::{bucket}")
    found: list[Pattern] = []
    names = [(point.arn, "/object/")]
    if point.alias is not None:
        names.append((f"arn:{partition}:s3:::{point.alias}", "/"))
    for name, separator in names:
        at = _read(pattern, _skipped(pattern, {0}), name or "", wide)
        found += [arn] if len(pattern) in at else []
        found += [(*arn, "/", *pattern[i:]) for i in sorted(_read(pattern, at, separator, wide), reverse=True)]
    return found


def _read(pattern: Pattern, at: set[int], text: str, wide: bool = False) -> set[int]:
    """The positions of a pattern to which a text leads from some others."""
    read = 0
    if len(at) == 1:
        # Most patterns are literal so far, and differ from the text soon.
        (start,) = at
        for token, letter in zip(pattern[start : start + len(text)], text, strict=False):
            if not isinstance(token, str) or len(token) != 1 or (token != letter and wide and _is_open(token, letter)):
                break
            if token != letter:
                return set()
            read += 1
        at = _skipped(pattern, {start + read})
    for letter in text[read:]:
        if not at:
            break
        at = _after(pattern, at, letter, wide)
    return at


def _layer(
    statements: Sequence[Applied],
    lookup: Lookup,
    caller: Caller,
    extra: Sequence[Pattern] = (),
    beside: Sequence[Pattern] = (),
) -> ResourceUnion:
    """What some statements apply to, and `extra`; without patterns that lie wholly in one of `beside`, which is taken away
    in any case."""
    patterns: list[Pattern] = list(extra)
    tests: list[ResourceTest] = []
    wider = all(each.kind != "deny" for each in statements)
    for each in statements:
        found = patterns_of(each, lookup, caller.shape.partition)
        if each.statement.not_resource:
            within = [_EVERYWHERE] if each.bucket is None else of_bucket(each.bucket, caller.shape.partition)
            loose = caller.loosened(each.kind == "deny")
            tests.append(ResourceTest(GlobSet(found, loose=loose), True, GlobSet(within)))
        else:
            patterns.extend(p for p in found if not _inside(p, beside))
    return ResourceUnion(patterns, tests, caller.loosened(wider and bool(statements)))


def _inside(pattern: Pattern, spaces: Sequence[Pattern]) -> bool:
    """Whether all of a pattern lies in a space that is `TEXT*`: decided on literal beginnings alone."""
    if not spaces:
        return False
    head = beginning(pattern)
    return any(s and s[-1] is Wild.ANY and head.startswith(t := beginning(s)) and len(s) == len(t) + 1 for s in spaces)


def _keys(statement: Statement, spaces: Sequence[Pattern]) -> list[Pattern]:
    """The spaces as patterns of keys, where a statement is about one bucket only."""
    if len(statement.resources) != 1 or statement.not_resource or any(c in statement.resources[0] for c in "*?$"):
        return []
    head = literal(f"{statement.resources[0]}/")
    return [space[len(head) :] for space in spaces if space[: len(head)] == head]


def of_bucket(bucket: str, partition: str) -> list[Pattern]:
    """ARNs of a bucket and of its objects."""
    if is_directory(bucket):
        return [of_directory(bucket, partition)]
    arn = literal(f"arn:{partition}:s3:::{bucket}")
    return [arn, (*arn, "/", Wild.ANY)]


def within_bucket(pattern: Pattern, partition: str, bucket: str, wide: bool = False) -> list[Pattern]:
    """What a pattern matches of a bucket's ARN and of those of its objects, as patterns that begin with the ARN; if it is
    made `wider`, a digit that is not known is any in the bucket's name."""
    if is_directory(bucket):
        return within_directory(pattern, partition, bucket, wide)
    arn = f"arn:{partition}:s3:::{bucket}"
    if beginning(pattern[: len(arn) + 1]) == f"{arn}/" or pattern == literal(arn):
        return [pattern]
    at = _read(pattern, _skipped(pattern, {0}), arn, wide)
    found: list[Pattern] = [literal(arn)] if len(pattern) in at else []
    inside = _after(pattern, at, "/", wide)
    # Where a `*` has been reached, what stands before it adds nothing.
    return [*found, *((*literal(f"{arn}/"), *pattern[i:]) for i in sorted(inside, reverse=True))]


def _after(pattern: Pattern, at: set[int], letter: str, wide: bool) -> set[int]:
    found: set[int] = set()
    for index in at:
        token = pattern[index] if index < len(pattern) else ""
        if isinstance(token, Text):
            if letter not in token.excluded:
                found.add(index if token.many else index + 1)
        elif token is Wild.ANY or (token is Wild.WITHIN and letter != ":"):
            found.add(index)
        elif token is Wild.ONE or (
            isinstance(token, str) and token and (letter in token or (wide and _is_open(token, letter)))
        ):
            found.add(index + 1)
    return _skipped(pattern, found)


def _skipped(pattern: Pattern, at: set[int]) -> set[int]:
    """With the positions behind each `*`, which may stand for nothing."""
    found = set(at)
    for index in sorted(at):
        while index < len(pattern) and ((token := pattern[index]) in (Wild.ANY, Wild.WITHIN) or _repeats(token)):
            index += 1
            found.add(index)
    return found


def _is_open(token: str, letter: str) -> bool:
    """Whether a token stands for a digit that is not known, and may be this one."""
    return token >= chr(PRIVATE) and letter.isalnum()


def _repeats(token: str | Wild | Text) -> bool:
    return isinstance(token, Text) and token.many


def shared_patterns(shared: Sequence[Shared], caller: Caller) -> list[Pattern]:
    """The objects of shared spaces; an unknown variable shares nothing."""
    if not shared:
        return []
    lookup = caller.request(OBJECT_ACTIONS[0], "*").lookup
    found: list[Pattern] = []
    for space in shared:
        parts = template(f"arn:{caller.shape.partition}:s3:::{space.pattern}", expands=True)
        one = concretise(parts, lookup, widen=False)
        if one.pattern is not None:
            found.append(one.pattern)
    return found


def mask_of(actions: tuple[str, ...], universe: tuple[str, ...]) -> int:
    return mask(Statement(0, Effect.ALLOW, actions, ("*",)), universe)


def without_prefix(lookup: Lookup) -> Lookup:
    def look(key: str) -> Values:
        return Missing.UNKNOWN if key == PREFIX_KEY else lookup(key)

    return look


def _prefix_test(
    condition: Condition, lookup: Lookup, expands: bool, wide: bool, caller: Caller, beside: Sequence[Pattern]
) -> PrefixTest:
    """A condition on `s3:prefix`; what cannot be read as a language of prefixes is as `wide` says. A prefix that begins
    only keys of a space in `beside` tells of none but these."""

    def absent(key: str) -> Values:
        return Missing.ABSENT if key == PREFIX_KEY else lookup(key)

    def empty(key: str) -> Values:
        return ("",) if key == PREFIX_KEY else lookup(key)

    def settled(truth: Truth) -> bool:
        return truth is Truth.YES or (truth is Truth.MAYBE and wide)

    holds_absent = settled(holds(condition, absent, expands))
    holds_empty = settled(holds(condition, empty, expands))
    if condition.qualifier == "ForAllValues":
        # True when the key is absent or empty; whether one empty string counts as empty is left open.
        holds_empty = wide or holds_empty
    if condition.operator == "Null":
        return PrefixTest(holds_absent, holds_empty, None, False, settled(holds(condition, empty, expands)))
    if not condition.operator.startswith("String"):
        return PrefixTest(holds_absent, holds_empty, None, False, wide)
    negated = negates(condition.operator)
    patterns: list[Pattern] = []
    for value in condition.values:
        # Widening the values makes a positive test wider and a negated one narrower.
        one = concretise(template(value, expands, condition.operator in LIKE_OPERATORS), lookup, wide is not negated)
        if one.pattern is not None:
            patterns.append(one.pattern)
    if not negated and "IgnoreCase" not in condition.operator:
        patterns = [p for p in patterns if not _inside(p, beside)]
    loose = caller.loosened(wide is not negated)
    machine = GlobSet(patterns, fold="IgnoreCase" in condition.operator, loose=loose)
    return PrefixTest(holds_absent, holds_empty, machine, negated, False)
