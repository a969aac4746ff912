"""What one identity reaches, as languages: words are object ARNs, `arn:PARTITION:s3:::BUCKET/KEY`.

`objects(A)` is the set of ARNs on which some action is allowed; `names(A)` is the set of ARNs whose keys A can learn by
listing, because a permitted value of `s3:prefix` begins them. Each is a deterministic machine that is made as it is walked.

INVARIANT (widening). What is not understood widens an Allow and never narrows it. A machine that had to be widened says
which conditions it assumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeAlias

from ..automata.globs import GlobSet, Pattern, Wild, literal, literal_prefix
from ..iam.actions import LIST_ACTIONS, OBJECT_ACTIONS, future, groups, mask
from ..iam.conditions import LIKE_OPERATORS, Truth, holds, negates
from ..iam.documents import Condition, Document, Effect, Statement
from ..iam.evaluator import Reading, Request, names_caller, resource_patterns
from ..iam.issuers import Shape, known_issuers
from ..iam.variables import Lookup, Missing, Values, concretise, template
from ..inventory.principal import Principal
from .identities import is_symbolic, loosened

PREFIX_KEY = "s3:prefix"
LISTING_KEYS = frozenset({PREFIX_KEY, "s3:delimiter", "s3:max-keys"})
"""Condition keys that only listing requests have."""


@dataclass(frozen=True)
class Shared:
    """A space that the configuration declares as shared: a pattern of `BUCKET/KEY`, the actions, and why."""

    pattern: str
    actions: tuple[str, ...]
    why: str


class AllObjects:
    """All object ARNs of a partition; with `keys` off, all bucket ARNs."""

    _BUCKET = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")

    def __init__(self, partition: str, keys: bool = True) -> None:
        self._head = f"arn:{partition}:s3:::"
        self._keys = keys
        self.start = 0
        self.weight = 1
        # Characters of bucket names are alike here; those that a document tells apart are letters of its own machines.
        self.letters = frozenset(self._head) | {"/"}

    def step(self, state: int, letter: str) -> int:
        """States: characters of the head; then 1 to 3 of the bucket's name; then the key. -1 is dead."""
        head = len(self._head)
        if state < 0:
            return -1
        if state < head:
            return state + 1 if letter == self._head[state] else -1
        if state < head + 4:
            if letter in self._BUCKET:
                return min(state + 1, head + 3)
            return head + 4 if letter == "/" and state == head + 3 and self._keys else -1
        return head + 5

    def accepts(self, state: int) -> bool:
        return state == len(self._head) + (5 if self._keys else 3)

    def dead(self, state: int) -> bool:
        return state < 0

    def viable(self, state: int) -> frozenset[str] | None:
        if state < len(self._head):
            return frozenset(self._head[state]) if state >= 0 else frozenset()
        return None if state >= len(self._head) + 4 else self._BUCKET | {"/"}


@dataclass(frozen=True)
class ResourceTest:
    """A statement's resources where patterns alone do not say it: their complement, or only those of one bucket."""

    patterns: GlobSet
    negated: bool
    within: GlobSet


_EVERYWHERE: Pattern = (Wild.ANY,)


class ResourceUnion:
    """A union of resource tests: patterns, complements of patterns (NotResource), and either within one bucket."""

    def __init__(self, patterns: Sequence[Pattern], tests: Sequence[ResourceTest] = ()) -> None:
        self._patterns = GlobSet(patterns)
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

    def __init__(self, principal: str, action: str, layers: Sequence[ResourceUnion], negative: ResourceUnion) -> None:
        """Args:
        principal: the role's name.
        action: the group's first action.
        layers: what must accept: the Allows, and the boundary's.
        negative: what must not: the Denies and the shared spaces.
        """
        self.principal = principal
        self.action = action
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
        candidates = [[literal_prefix(p) for p in layer.patterns] for layer in self._layers]
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
    """`allow`, `boundary` or `deny`."""
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
        self, principal: str, action: str, listings: Sequence[Listing], bounded: bool, shared: ResourceUnion
    ) -> None:
        self.principal = principal
        self.action = action
        self._listings = list(listings)
        self._bounded = bounded
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
                arn = literal_prefix(pattern)
                if len(arn) < len(pattern) or not listing.tests:
                    found.append(arn)
                    continue
                test = listing.tests[0]
                if test.absent or test.empty or test.machine is None or test.negated or test.machine.fold:
                    found.append(f"{arn}/")
                else:
                    found.extend(f"{arn}/{head}" for head in map(literal_prefix, test.machine.patterns))
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
        return "allow" in roles and "deny" not in roles and (not self._bounded or "boundary" in roles)

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
class Caller:
    """An identity of a pool, as the context of its requests.

    `sub` is known, or stands for anybody's; keys of other issuers are certainly absent; whatever else there is may be
    anything.
    """

    identity: str
    shape: Shape
    issuers: frozenset[str] = field(default_factory=known_issuers)

    def read(self, patterns: list[Pattern], wider: bool) -> list[Pattern]:
        """Patterns as this caller's requests are matched with them; made wider where the caller stands for anybody."""
        return [loosened(p, self.shape.region) for p in patterns] if wider and self.anybody else patterns

    @cached_property
    def anybody(self) -> bool:
        return is_symbolic(self.identity)

    def request(self, action: str, resource: str, prefix: str | None = None) -> Request:
        """One of the identity's requests, as the evaluator takes it."""
        context: dict[str, tuple[str, ...]] = {}
        if self.shape.issuer is not None:
            context[f"{self.shape.issuer}:sub"] = (self.identity,)
        absent = {f"{i}:{key}" for i in self.issuers if i != self.shape.issuer for key in ("sub", "aud", "amr")}
        if action in LIST_ACTIONS:
            if prefix is None:
                absent.add(PREFIX_KEY)
            else:
                context[PREFIX_KEY] = (prefix,)
        else:
            absent |= LISTING_KEYS
        return Request(action, resource, context, unknown=True, absent=frozenset(absent))


@dataclass
class Assumptions:
    """Conditions that a reach assumed, and grants that can never apply, by the statement they stand in."""

    conditions: list[tuple[str, Statement, Condition]] = field(default_factory=list)
    dead: list[tuple[str, Statement, Condition]] = field(default_factory=list)


def object_reach(
    principal: Principal,
    caller: Caller,
    shared: Sequence[Shared] = (),
    assumed: Assumptions | None = None,
    universe: tuple[str, ...] = OBJECT_ACTIONS,
) -> list[ObjectReach]:
    """`objects(A)` through one role: a machine for each group of actions that the documents treat alike."""
    request = caller.request(universe[0], "*")
    if universe is OBJECT_ACTIONS:
        universe += future(a.statement for a in _statements(principal) if a.kind == "allow")
    spaces = [(space, _mask_of(space.actions, universe)) for space in shared]
    relevant: list[tuple[Applied, int]] = []
    for applied in _statements(principal):
        statement, name = applied.statement, applied.name
        bits = mask(statement, universe)
        if not bits:
            continue
        truth = Truth.YES
        for condition in statement.conditions:
            one = _holds(condition, request.lookup, statement)
            truth = min(truth, one)
            if assumed is not None and statement.effect is Effect.ALLOW:
                if one is Truth.MAYBE:
                    assumed.conditions.append((name, statement, condition))
                elif one is Truth.NO and condition.key in LISTING_KEYS:
                    assumed.dead.append((name, statement, condition))
        if truth is Truth.YES or (truth is Truth.MAYBE and statement.effect is Effect.ALLOW):
            relevant.append((applied, bits))
    found: list[ObjectReach] = []
    for part, first in groups([*(bits for _, bits in relevant), *(bits for _, bits in spaces)], universe):
        mine = [applied for applied, bits in relevant if bits & part]
        if not any(a.kind == "allow" for a in mine):
            continue
        patterns = _shared([space for space, bits in spaces if bits & part], caller)
        layers = [_layer([a for a in mine if a.kind == "allow"], request.lookup, caller, beside=patterns)]
        if principal.boundary is not None:
            layers.append(_layer([a for a in mine if a.kind == "boundary"], request.lookup, caller))
        negative = _layer([a for a in mine if a.kind == "deny"], request.lookup, caller, patterns)
        found.append(ObjectReach(principal.name, first, layers, negative))
    return found


def list_reach(principal: Principal, caller: Caller, shared: Sequence[Shared] = ()) -> list[ListingReach]:
    """`names(A)` through one role: a machine for each listing action that is allowed at all."""
    found: list[ListingReach] = []
    for index, action in enumerate(LIST_ACTIONS):
        listings: list[Listing] = []
        patterns = _shared([s for s in shared if _mask_of(s.actions, LIST_ACTIONS) >> index & 1], caller)
        lookup = _without_prefix(caller.request(action, "*").lookup)
        for applied in _statements(principal):
            statement = applied.statement
            if not mask(statement, LIST_ACTIONS) >> index & 1:
                continue
            wide = statement.effect is Effect.ALLOW
            beside = _keys(statement, patterns) if wide else []
            others = [c for c in statement.conditions if c.key != PREFIX_KEY]
            truth = min((_holds(c, lookup, statement) for c in others), default=Truth.YES)
            if truth is Truth.NO or (truth is Truth.MAYBE and not wide):
                continue
            tests = tuple(
                _prefix_test(c, lookup, statement.expands, wide, caller, beside)
                for c in statement.conditions
                if c.key == PREFIX_KEY
            )
            listings.append(Listing(applied.kind, _layer([applied], lookup, caller), tests))
        if any(item.role == "allow" for item in listings):
            layer = _layer([], lookup, caller, patterns)
            found.append(ListingReach(principal.name, action, listings, principal.boundary is not None, layer))
    return found


def opened(principal: Principal) -> Principal:
    """The role as bucket policies alone see it: what they grant to it by name, or to everyone."""
    denies = tuple((name, _only(document, Effect.DENY, principal.arns)) for name, document in principal.documents)
    grants = tuple((p.name, _only(p.document, Effect.ALLOW, principal.arns)) for p in principal.resource)
    return Principal(principal.name, (*grants, *denies), None, principal.resource, principal.arns, principal.urn)


def _only(document: Document, effect: Effect, arns: tuple[str, ...]) -> Document:
    # Principals have been looked at here; without them the statements read like the role's own.
    kept = tuple(
        replace(statement, principals=None)
        for statement in document.statements
        if statement.effect is effect and (statement.principals is None or names_role(statement, arns))
    )
    return Document(document.version, kept, document.kind, document.has_version)


def names_role(statement: Statement, arns: tuple[str, ...]) -> bool:
    """Whether a bucket policy's statement speaks of the role.

    INVARIANT (widening). An Allow that may name the role does; NotPrincipal names everyone else, so it may."""
    principals = statement.principals
    if principals is None:
        return True
    if principals.negated:
        return statement.effect is Effect.ALLOW
    if statement.effect is Effect.DENY:
        return any(value == "*" for kind, value in principals.entries if kind == "AWS")
    return names_caller(principals, arns, Effect.ALLOW) or any(
        value.endswith(end) or f"{end.replace(':role/', ':assumed-role/')}/" in value
        for _, value in principals.entries
        for end in arns
        if end.startswith(":role/")
    )


@dataclass(frozen=True)
class Applied:
    """A statement: what it does (`allow`, `boundary`, `deny`), its document's name, the bucket it is limited to."""

    kind: str
    statement: Statement
    name: str
    bucket: str | None = None


def _statements(principal: Principal) -> Iterable[Applied]:
    for name, document in principal.documents:
        for statement in document.statements:
            yield Applied("allow" if statement.effect is Effect.ALLOW else "deny", statement, name)
    for name, document in principal.boundary or ():
        for statement in document.statements:
            yield Applied("boundary" if statement.effect is Effect.ALLOW else "deny", statement, name)
    for policy in principal.resource:
        # A bucket's policy speaks of its own bucket only, whatever its resources say; of which, must be known.
        if policy.bucket is not None:
            for statement in policy.document.statements:
                if statement.effect is Effect.DENY and names_role(statement, principal.arns):
                    yield Applied("deny", statement, policy.name, policy.bucket)


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
    for applied in statements:
        statement = applied.statement
        found, _ = resource_patterns(statement, lookup, Reading.PESSIMISTIC)
        found = caller.read(found, wider=(applied.kind != "deny") is not statement.not_resource)
        if applied.bucket is None and not statement.not_resource:
            patterns.extend(p for p in found if not _inside(p, beside))
        else:
            within = [_EVERYWHERE] if applied.bucket is None else _of_bucket(applied.bucket)
            tests.append(ResourceTest(GlobSet(found), statement.not_resource, GlobSet(within)))
    return ResourceUnion(patterns, tests)


def _inside(pattern: Pattern, spaces: Sequence[Pattern]) -> bool:
    """Whether all of a pattern lies in a space that is `TEXT*`: decided on literal beginnings alone."""
    if not spaces:
        return False
    head = literal_prefix(pattern)
    return any(
        s and s[-1] is Wild.ANY and head.startswith(t := literal_prefix(s)) and len(s) == len(t) + 1 for s in spaces
    )


def _keys(statement: Statement, spaces: Sequence[Pattern]) -> list[Pattern]:
    """The spaces as patterns of keys, where a statement is about one bucket only."""
    if len(statement.resources) != 1 or statement.not_resource or any(c in statement.resources[0] for c in "*?$"):
        return []
    head = literal(f"{statement.resources[0]}/")
    return [space[len(head) :] for space in spaces if space[: len(head)] == head]


def _of_bucket(bucket: str) -> list[Pattern]:
    """ARNs of a bucket and its objects, in any partition."""
    tail = literal(f":s3:::{bucket}")
    return [(*literal("arn:"), Wild.WITHIN, *tail), (*literal("arn:"), Wild.WITHIN, *tail, "/", Wild.ANY)]


def _shared(shared: Sequence[Shared], caller: Caller) -> list[Pattern]:
    """The objects of shared spaces; an unknown variable shares nothing."""
    lookup = caller.request(OBJECT_ACTIONS[0], "*").lookup
    found: list[Pattern] = []
    for space in shared:
        parts = template(f"arn:{caller.shape.partition}:s3:::{space.pattern}", expands=True)
        one = concretise(parts, lookup, widen=False)
        if one.pattern is not None:
            found.append(one.pattern)
    return found


def _mask_of(actions: tuple[str, ...], universe: tuple[str, ...]) -> int:
    return mask(Statement(0, Effect.ALLOW, actions, ("*",)), universe)


def _holds(condition: Condition, lookup: Lookup, statement: Statement) -> Truth:
    """Whether a condition holds; a pattern of identity ids names many, whom no single identity stands for, so it may.

    INVARIANT (widening). Two identities are enough only where documents name identities one by one.
    """
    by_pattern = condition.operator in LIKE_OPERATORS and any("*" in v or "?" in v for v in condition.values)
    if by_pattern and condition.key.endswith(":sub") and lookup(condition.key) is not Missing.ABSENT:
        return Truth.MAYBE
    return holds(condition, lookup, statement.expands)


def _without_prefix(lookup: Lookup) -> Lookup:
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
    patterns = caller.read(patterns, wider=wide is not negated)
    return PrefixTest(
        holds_absent, holds_empty, GlobSet(patterns, fold="IgnoreCase" in condition.operator), negated, False
    )
