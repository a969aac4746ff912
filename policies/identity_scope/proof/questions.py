"""A role's grants as questions for the symbolic walk: what must match, what must not, and what that needs of the IDs.

Every Allow becomes a `Grant`: the patterns that a key must match (the statement's own, one of the boundary's, one of each
Deny on NotResource that applies), those that it must not (Denies, an Allow's NotResource, shared spaces), and the
conditions on the ID, as stores that must or must not be the case. A listing has a `Stop` where its prefix ends; its
Denies are settled there, then the key runs on.

INVARIANT (widening). What is not understood makes an Allow apply and a Deny not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property, lru_cache
from itertools import combinations, product
from typing import NamedTuple

from ..automata.globs import Pattern, Text, Wild, literal
from ..automata.symbolic import Among, Forbidden, Not, Part, Question, Requirement, Stop, Track, Walk, Word, accepted
from ..automata.unknowns import NOTHING, StoreId, Stores
from ..automata.walk import Budget
from ..iam.actions import LIST_ACTIONS, OBJECT_ACTIONS, groups, mask
from ..iam.claims import TAG_KEY, Language, Tag
from ..iam.conditions import LIKE_OPERATORS, Truth, holds, negates
from ..iam.documents import Condition, Effect, Statement
from ..iam.issuers import Shape
from ..iam.variables import Lookup, Missing, Values, concretise, template
from ..inventory.declared import Shared
from ..inventory.principal import Principal
from .identities import Strangers
from .reach import (
    PREFIX_KEY,
    Applied,
    Caller,
    View,
    counted,
    limits_of,
    mask_of,
    object_actions,
    of_bucket,
    patterns_of,
    shared_patterns,
    without_prefix,
)
from .sessions import differing, slots

_VALIDITY = 9
"""The side of tracks that pass nobody's `Stop`."""
_BUCKET = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")
_NO_SLASH = Not("/", many=True)
_REST: tuple[Part, ...] = ("/", Wild.ANY)


class Guard(NamedTuple):
    """What a statement's conditions ask of the ID: one store of each list must be the case, and none of `nogoods`."""

    alternatives: tuple[tuple[StoreId, ...], ...] = ()
    nogoods: tuple[StoreId, ...] = ()


@dataclass(frozen=True)
class Grant:
    """An Allow, for one group of actions, and all that limits it.

    Attributes:
        listing: whether it tells names instead of giving objects.
        document: the name of the Allow's document.
    """

    principal: Principal
    view: View
    action: str
    listing: bool
    document: str
    statement: Statement
    tracks: tuple[Track, ...]
    forbidden: tuple[Forbidden, ...] = ()
    guard: Guard = field(default_factory=Guard)
    requirements: tuple[Requirement, ...] = ()
    actions: int = 0
    """The group, as bits of the actions that were asked about; 0 for a listing."""
    texts: Mapping[str, int] = field(default_factory=dict)
    """The numbers of the texts that stand for tags' values, by the tag's key."""

    @property
    def cause(self) -> tuple[str, str, str]:
        return self.principal.urn, self.document, str(self.statement.index)

    @property
    def place(self) -> tuple[str, int]:
        return self.document, self.statement.index

    @cached_property
    def beginnings(self) -> list[str]:
        """The characters that its patterns begin with."""
        return [_beginning(pattern) for pattern in self.tracks[0].patterns]

    def split(self) -> list[Grant]:
        """The grant of each of its patterns; nothing where it has one only."""
        first, *others = self.tracks
        if len(first.patterns) < 2:
            return []
        return [replace(self, tracks=(replace(first, patterns=(p,)), *others)) for p in first.patterns]

    @cached_property
    def endings(self) -> list[str]:
        """The characters that its patterns end with, turned round."""
        return [_beginning(pattern[::-1]) for pattern in self.tracks[0].patterns]


class Apart(NamedTuple):
    """What must not be of tags: UUIDs that are equal, as stores; texts that are equal; texts that are some words."""

    uuids: tuple[StoreId, ...] = ()
    texts: tuple[tuple[int, int], ...] = ()
    besides: tuple[tuple[int, frozenset[str]], ...] = ()


class Symbolic:
    """The symbolic walk for one question: its stores, its budget, and the two identities."""

    def __init__(self, strangers: Strangers, budget: Budget, tenant: str | None = None) -> None:
        """`tenant` is a tag that tells two people's tenants apart; None: two people, of whatever tenants."""
        self.strangers = strangers
        self.budget = budget
        self._tenant = tenant
        self.stores = Stores(strangers.shape.digits, budget)

    @cached_property
    def same(self) -> StoreId:
        """That the two are one."""
        return self._equal(self.strangers.unknowns(0), self.strangers.unknowns(1))

    def _equal(self, mine: Sequence[int], theirs: Sequence[int]) -> StoreId:
        same: StoreId | None = NOTHING
        for one, other in zip(mine, theirs, strict=True):
            same = self.stores.equate(same, one, other) if same is not None else None
        assert same is not None
        return same

    def differing(self, mine: Grant, theirs: Grant) -> list[tuple[Tag, Tag]]:
        """Tags of the two that have different values; nobody has any without credentials."""
        if View.ANYBODY in (mine.view, theirs.view):
            return []
        return differing(mine.principal.session, theirs.principal.session, self._tenant)

    def apart_by_tags(self, mine: Grant, theirs: Grant) -> Apart:
        """What must differ of the values of the two's tags."""
        stores: dict[StoreId, None] = {}
        texts: dict[tuple[int, int], None] = {}
        besides = [*_besides(mine), *_besides(theirs)]
        for tag, other in self.differing(mine, theirs):
            one, two = self._slot(mine, tag, 0), self._slot(theirs, other, 1)
            if isinstance(one, range) and isinstance(two, range):
                stores[self._equal(one, two)] = None
            elif isinstance(one, int) and isinstance(two, int):
                texts[one, two] = None
            elif isinstance(one, int) and other.value is not None:
                besides.append((one, frozenset({other.value})))
            elif isinstance(two, int) and tag.value is not None:
                besides.append((two, frozenset({tag.value})))
        return Apart(tuple(stores), tuple(texts), tuple(besides))

    def _slot(self, grant: Grant, tag: Tag, side: int) -> range | int | None:
        """What stands for a tag's value: the unknown digits of a UUID, the number of a text, nothing where it is known."""
        if tag.value is not None or tag.claim is None:
            return None
        slot = slots(grant.principal.session)[tag.key]
        if tag.claim.language is Language.UUID:
            return self.strangers.unknowns(side, slot)
        return grant.texts.get(slot)

    def find(self, question: Question, budget: Budget | None = None) -> Word | None:
        """A shortest word of the question; raises BudgetExceeded."""
        if self._differ(question.tracks):
            (budget or self.budget).spend()
            return None
        walk = Walk(question, self.stores, self.strangers.alphabet, budget or self.budget, self.strangers.preferred)
        return walk.find()

    def _differ(self, tracks: Sequence[Track]) -> bool:
        """Whether two tracks of few patterns begin with what no word has in common."""
        few = [t.patterns for t in tracks if len(t.patterns) <= 4 and not t.fold]
        heads = [[_beginning(pattern) for pattern in patterns] for patterns in few]
        distinct = self.strangers.distinct
        return any(all(distinct(a, b) for a in one for b in other) for one, other in combinations(heads, 2))

    def apart(self, mine: Grant, theirs: Grant, budget: Budget) -> bool:
        """Whether what the grants begin or end with keeps them apart, which settles most pairs."""
        distinct = self.strangers.distinct
        for ours, others in ((mine.beginnings, theirs.beginnings), (mine.endings, theirs.endings)):
            compared = 0
            for one, other in product(ours, others):
                compared += 1
                if not distinct(one, other):
                    break
            else:
                budget.spend(1 + compared // 8)
                return True
            budget.spend(1 + compared // 8)
        if len(mine.beginnings) * len(theirs.beginnings) > 1:
            return False
        # The same with what the conditions say of the two IDs.
        question = self.between(mine, theirs)
        alike = self.stores.alike(mine.beginnings[0], theirs.beginnings[0], self.strangers.alphabet.unknown)
        store = None if alike is None else self.stores.join(question.store, alike)
        return store is None or any(self.stores.implies(store, nogood) for nogood in question.nogoods)

    def between(self, mine: Grant, theirs: Grant, *tracks: Track) -> Question:
        """Whether two different identities reach one object, the one by `mine` and the other by `theirs`."""
        store, alternatives = self.certain((*mine.guard.alternatives, *theirs.guard.alternatives))
        apart = self.apart_by_tags(mine, theirs)
        return Question(
            (*mine.tracks, *theirs.tracks, objects(self.strangers.shape), *tracks),
            (*mine.forbidden, *theirs.forbidden),
            store,
            (self.same, *apart.uuids, *mine.guard.nogoods, *theirs.guard.nogoods),
            alternatives,
            (*mine.requirements, *theirs.requirements),
            apart.texts,
            apart.besides,
        )

    def certain(
        self, alternatives: tuple[tuple[StoreId, ...], ...], store: StoreId = NOTHING
    ) -> tuple[StoreId, tuple[tuple[StoreId, ...], ...]]:
        """What is known from the beginning, where there is one alternative only; and the other alternatives."""
        for only in [some[0] for some in alternatives if len(some) == 1]:
            joined = self.stores.join(store, only)
            if joined is None:
                return store, ((),)
            store = joined
        return store, tuple(some for some in alternatives if len(some) > 1)

    def alone(
        self,
        grant: Grant,
        *tracks: Track,
        forbidden: Sequence[Sequence[Part]] = (),
        store: StoreId = NOTHING,
        nogoods: Sequence[StoreId] = (),
    ) -> Question:
        """Whether an identity reaches by a grant what the tracks match and what is forbidden does not."""
        guard = grant.guard
        outside = (Forbidden(tuple(tuple(pattern) for pattern in forbidden)),) if forbidden else ()
        store, alternatives = self.certain(guard.alternatives, store)
        return Question(
            (*grant.tracks, *tracks),
            (*grant.forbidden, *outside),
            store,
            (*guard.nogoods, *nogoods),
            alternatives,
            grant.requirements,
            besides=_besides(grant),
        )


def _besides(grant: Grant) -> tuple[tuple[int, frozenset[str]], ...]:
    """The texts of a grant that must not be some words: those that other kinds of sessions have."""
    session = grant.principal.session
    tags = [session.tag(key) for key in grant.texts] if session is not None and grant.texts else []
    open_ = [tag for tag in tags if tag is not None and tag.value is None and tag.besides]
    return tuple((grant.texts[tag.key], tag.besides) for tag in open_)


def objects(shape: Shape) -> Track:
    """All ARNs of objects."""
    return Track(tuple((*bucket, "/", Wild.ONE, Wild.ANY) for bucket in _buckets(shape)), _VALIDITY)


def buckets(shape: Shape) -> Track:
    """All ARNs of buckets."""
    return Track(_buckets(shape), _VALIDITY)


def _buckets(shape: Shape) -> tuple[tuple[Part, ...], ...]:
    head = literal(f"arn:{shape.partition}:s3:::")
    short = ((*head, *literal(name)) for name in shape.short_buckets)
    return ((*head, _BUCKET, _BUCKET, _BUCKET, Among(_BUCKET)), *short)


def track(*patterns: Sequence[Part]) -> Track:
    """A further track, of whichever pattern."""
    return Track(tuple(tuple(pattern) for pattern in patterns), _VALIDITY)


class _Way(NamedTuple):
    """One way past a statement: further tracks, what is forbidden, what is required."""

    tracks: tuple[Track, ...] = ()
    forbidden: tuple[Forbidden, ...] = ()
    requirements: tuple[Requirement, ...] = ()


class Reader:
    """One identity's grants, with its digits as unknowns. `side` tells the two identities' listings apart."""

    def __init__(self, symbolic: Symbolic, caller: Caller, side: int) -> None:
        self._symbolic = symbolic
        self._caller = caller
        self._side = side
        self._partition = caller.shape.partition
        self._statements: dict[tuple[int, View], list[Applied]] = {}

    def allows(self, principal: Principal, view: View = View.ROLE) -> list[Statement]:
        """The Allows that apply to a role's requests."""
        return [each.statement for each in self._applied(principal, view) if each.kind == "allow"]

    def objects(
        self,
        principal: Principal,
        shared: Sequence[Shared] = (),
        universe: tuple[str, ...] = OBJECT_ACTIONS,
        view: View = View.ROLE,
    ) -> list[Grant]:
        """The Allows of requests whose resource is the key's own ARN, or whatever else the universe's actions take."""
        statements = self._applied(principal, view)
        caller = self._caller.of(principal)
        if universe is OBJECT_ACTIONS:
            universe = object_actions(statements, shared)
        if not any(each.kind == "allow" and mask(each.statement, universe) for each in statements):
            return []
        lookup = caller.request(universe[0], "*").lookup
        spaces = [(space, mask_of(space.actions, universe)) for space in shared]
        relevant = [(each, bits) for each in statements if (bits := mask(each.statement, universe))]
        found: list[Grant] = []
        for part, first in groups([*(b for _, b in relevant), *(b for _, b in spaces)], universe):
            mine = [each for each, bits in relevant if bits & part]
            if not any(each.kind == "allow" for each in mine):
                continue
            patterns = shared_patterns([space for space, bits in spaces if bits & part], caller)
            beside = (Forbidden(tuple(patterns)),) if patterns else ()
            ways = [w for each in mine if each.kind == "deny" and (w := self._past(each, lookup)) is not None]
            limits = {
                kind: [way for each in mine if each.kind == kind for way in self._through(each, lookup)]
                for kind in ("boundary", "bucket")
            }
            for each in mine:
                if each.kind != "allow":
                    continue
                for guard, allow in self._through(each, lookup):
                    base = Grant(
                        principal,
                        view,
                        first,
                        False,
                        each.name,
                        each.statement,
                        allow.tracks,
                        (*allow.forbidden, *beside),
                        guard,
                    )
                    base = replace(base, actions=part, texts=caller.tags.texts)
                    found += self._limited(base, each, principal, limits, ways)
        return found

    def listings(self, principal: Principal, shared: Sequence[Shared] = (), view: View = View.ROLE) -> list[Grant]:
        """The Allows of listings: keys of which some permitted prefix is the beginning."""
        found: list[Grant] = []
        statements = self._applied(principal, view)
        caller = self._caller.of(principal)
        for index, action in enumerate(LIST_ACTIONS):
            patterns = shared_patterns([s for s in shared if mask_of(s.actions, LIST_ACTIONS) >> index & 1], caller)
            beside = (Forbidden(tuple(patterns)),) if patterns else ()
            mine = [each for each in statements if mask(each.statement, LIST_ACTIONS) >> index & 1]
            if not any(each.kind == "allow" for each in mine):
                continue
            lookup = without_prefix(caller.request(action, "*").lookup)
            open_ = any(c.qualifier == "ForAllValues" for each in mine for c in each.statement.conditions)
            for prefix in (_Prefix.ABSENT, _Prefix.EMPTY, _Prefix.SOME) if open_ else (_Prefix.ABSENT, _Prefix.SOME):
                past = [self._past_listing(each, lookup, prefix) for each in mine if each.kind == "deny"]
                ways = [way for way in past if way is not None]
                limits = {
                    kind: [way for each in mine if each.kind == kind for way in self._listed(each, lookup, prefix)]
                    for kind in ("boundary", "bucket")
                }
                for each in mine:
                    if each.kind != "allow":
                        continue
                    for guard, allow in self._listed(each, lookup, prefix):
                        base = Grant(
                            principal,
                            view,
                            action,
                            True,
                            each.name,
                            each.statement,
                            allow.tracks,
                            (*allow.forbidden, *beside),
                            guard,
                            texts=caller.tags.texts,
                        )
                        found += self._limited(base, each, principal, limits, ways)
        return found

    def _applied(self, principal: Principal, view: View) -> list[Applied]:
        key = id(principal), view
        if key not in self._statements:
            self._statements[key] = counted(principal, self._caller.of(principal), view)
        return self._statements[key]

    def _limited(
        self,
        base: Grant,
        each: Applied,
        principal: Principal,
        limits: Mapping[str, Sequence[tuple[Guard, _Way]]],
        denies: Sequence[Sequence[_Way]],
    ) -> Iterator[Grant]:
        """A grant within what limits it and past every Deny, in each way that there is."""
        for within in product(*(limits[kind] for kind in limits_of(principal, each))):
            guards = [base.guard, *(guard for guard, _ in within)]
            for ways in product(*denies):
                self._symbolic.budget.spend(1 + len(ways))
                taken = (*(limit for _, limit in within), *ways)
                yield replace(
                    base,
                    tracks=(*base.tracks, *(t for way in taken for t in way.tracks)),
                    forbidden=(*base.forbidden, *(f for way in taken for f in way.forbidden)),
                    requirements=(*base.requirements, *(r for way in taken for r in way.requirements)),
                    guard=Guard(
                        tuple(some for guard in guards for some in guard.alternatives),
                        tuple(nogood for guard in guards for nogood in guard.nogoods),
                    ),
                )

    # Statements on objects

    def _patterns(self, each: Applied, lookup: Lookup) -> list[Pattern]:
        return patterns_of(each, lookup, self._partition)

    def _everywhere(self, each: Applied) -> list[Pattern]:
        return [(Wild.ANY,)] if each.bucket is None else of_bucket(each.bucket, self._partition)

    def _through(self, each: Applied, lookup: Lookup) -> Iterator[tuple[Guard, _Way]]:
        """An Allow's patterns, where it may apply."""
        guard = self._guard(each.statement, lookup)
        if guard is None:
            return
        patterns = self._patterns(each, lookup)
        if each.statement.not_resource:
            yield guard, _Way((self._track(self._everywhere(each)),), (Forbidden(tuple(patterns)),) if patterns else ())
        elif patterns:
            yield guard, _Way((self._track(patterns),))

    def _past(self, each: Applied, lookup: Lookup) -> list[_Way] | None:
        """The ways past a Deny; None where it does not apply."""
        guard = self._guard(each.statement, lookup)
        if guard is None:
            return None
        requirement = self._refuted(guard)
        patterns = self._patterns(each, lookup)
        if not each.statement.not_resource:
            return [_Way(forbidden=(Forbidden(tuple(patterns), requirement),))] if patterns else None
        ways = [_Way((self._track(patterns),))] if patterns else []
        if each.bucket is not None:
            return [*ways, _Way(forbidden=(Forbidden(tuple(self._everywhere(each)), requirement),))]
        return ways if requirement.hopeless else [*ways, _Way(requirements=(requirement,))]

    def _track(self, patterns: Sequence[Sequence[Part]], fold: bool = False) -> Track:
        return Track(tuple(tuple(pattern) for pattern in patterns), self._side, fold)

    # Statements on listings

    def _listed(self, each: Applied, lookup: Lookup, prefix: _Prefix) -> Iterator[tuple[Guard, _Way]]:
        """An Allow of a listing: a bucket, the prefix as far as it is tested, `Stop`, and the key that runs on."""
        statement = each.statement
        guard = self._guard(statement, lookup, besides=PREFIX_KEY)
        tests = self._tests(statement, lookup, wide=True)
        if guard is None or not all(prefix.settles(test) for test in tests):
            return
        arns = _names_bucket(self._patterns(each, lookup))
        forbidden: list[Forbidden] = []
        if statement.not_resource:
            if arns:
                forbidden.append(self._forbidden([(*arn, *_REST) for arn in arns], at_stop=True))
            arns = _names_bucket(self._everywhere(each))
        positive = [test for test in tests if not test.negated and test.patterns is not None] if prefix.tested else []
        tracks: list[Track] = []
        if prefix.tested:
            heads: list[tuple[Part, ...]] = [(*arn, "/") for arn in arns]
            if positive and not positive[0].fold:
                patterns = positive[0].patterns or ()
                tracks.append(self._track([(*head, *p, Stop(), Wild.ANY) for head in heads for p in patterns]))
                positive = positive[1:]
            else:
                tracks.append(self._track([(*head, Wild.ANY, Stop(), Wild.ANY) for head in heads]))
            for test in positive:
                some = [(_NO_SLASH, "/", *p, Stop(), Wild.ANY) for p in test.patterns or ()]
                tracks.append(self._track(some, test.fold))
            for test in tests:
                if test.negated and test.patterns:
                    some = [(_NO_SLASH, "/", *p) for p in test.patterns]
                    forbidden.append(self._forbidden(some, at_stop=True, fold=test.fold))
        else:
            tracks.append(self._track([(*arn, "/", Stop(), Wild.ANY) for arn in arns]))
        if all(track.patterns for track in tracks):
            yield guard, _Way(tuple(tracks), tuple(forbidden))

    def _past_listing(self, each: Applied, lookup: Lookup, prefix: _Prefix) -> list[_Way] | None:
        """The ways past a Deny of a listing: another bucket, prefix or identity; None where it does not apply."""
        statement = each.statement
        guard = self._guard(statement, lookup, besides=PREFIX_KEY)
        tests = self._tests(statement, lookup, wide=False)
        if guard is None or not all(prefix.settles(test) for test in tests):
            return None
        requirement = self._refuted(guard)
        arns = _names_bucket(self._patterns(each, lookup))
        tested = [test for test in tests if test.patterns is not None] if prefix.tested else []
        positive = [test for test in tested if not test.negated]
        ways: list[_Way] = []
        if statement.not_resource:
            if arns:
                ways.append(_Way((track(*((*arn, *_REST) for arn in arns)),)))
            if each.bucket is None:
                arns = []
                if not positive and not requirement.hopeless:
                    ways.append(_Way(requirements=(requirement,)))
            else:
                arns = _names_bucket(self._everywhere(each))
        elif not arns:
            return None
        heads = [(*arn, "/") for arn in arns]
        if heads and len(positive) == 1 and not positive[0].fold:
            patterns = [(*head, *p) for head in heads for p in positive[0].patterns or ()]
            ways.append(_Way(forbidden=(self._forbidden(patterns, True, requirement=requirement),)))
            positive = []
        elif heads:
            some = [(*head, Wild.ANY) for head in heads]
            ways.append(_Way(forbidden=(self._forbidden(some, True, requirement=requirement),)))
        for test in positive:
            inside = [(_NO_SLASH, "/", *p) for p in test.patterns or ()]
            ways.append(_Way(forbidden=(self._forbidden(inside, True, test.fold, requirement),)))
        for test in tested:
            if test.negated and test.patterns:
                named = [(_NO_SLASH, "/", *p, Stop(), Wild.ANY) for p in test.patterns]
                ways.append(_Way((self._track(named, test.fold),)))
        return ways

    def _forbidden(
        self,
        patterns: Sequence[Sequence[Part]],
        at_stop: bool,
        fold: bool = False,
        requirement: Requirement | None = None,
    ) -> Forbidden:
        some = tuple(tuple(pattern) for pattern in patterns)
        return Forbidden(some, requirement or Requirement(), self._side, at_stop, fold)

    def _tests(self, statement: Statement, lookup: Lookup, wide: bool) -> list[_Test]:
        return [
            _test(condition, lookup, statement.expands, wide)
            for condition in statement.conditions
            if condition.key == PREFIX_KEY
        ]

    # Statements that never apply

    def never_holds(self, each: Applied) -> Condition | None:
        """The condition because of which an Allow never applies to its actions, alone or with those before it."""
        statement, dead = each.statement, None
        for universe in (OBJECT_ACTIONS, LIST_ACTIONS):
            if mask(statement, universe):
                dead = self._first_unmet(each, universe)
                if dead is None:
                    return None
        return dead

    def _first_unmet(self, each: Applied, universe: tuple[str, ...]) -> Condition | None:
        conditions = each.statement.conditions
        for count in range(1, len(conditions) + 1):
            # Conditions alone: on everything, so that no resource is what nothing matches.
            some = replace(each.statement, conditions=conditions[:count], resources=("*",), not_resource=False)
            anywhere = replace(each, statement=some, bucket=None, point=None)
            if universe is OBJECT_ACTIONS:
                ways = list(self._through(anywhere, self._caller.request(universe[0], "*").lookup))
            else:
                lookup = without_prefix(self._caller.request(universe[0], "*").lookup)
                ways = [way for prefix in _Prefix for way in self._listed(anywhere, lookup, prefix)]
            if not any(self._is_met(way, guard) for guard, way in ways):
                return conditions[count - 1]
        return None

    def _is_met(self, way: _Way, guard: Guard) -> bool:
        store, alternatives = self._symbolic.certain(guard.alternatives)
        question = Question(
            (*way.tracks, objects(self._symbolic.strangers.shape)),
            way.forbidden,
            store,
            guard.nogoods,
            alternatives,
            (),
        )
        return self._symbolic.find(question) is not None

    # Conditions on the ID

    def _refuted(self, guard: Guard) -> Requirement:
        """That a Deny's conditions do not hold: no combination of its alternatives, or one of its nogoods."""
        combined: list[StoreId] = [NOTHING]
        for alternatives in guard.alternatives:
            joined = [self._symbolic.stores.join(store, other) for store in combined for other in alternatives]
            combined = [store for store in joined if store is not None]
            self._symbolic.budget.spend(len(joined))
        return Requirement(tuple(combined), guard.nogoods)

    def _guard(self, statement: Statement, lookup: Lookup, besides: str = "") -> Guard | None:
        """What the conditions ask of the ID; None where the statement never applies, or a Deny not for certain."""
        wide = statement.effect is Effect.ALLOW
        alternatives: list[tuple[StoreId, ...]] = []
        nogoods: list[StoreId] = []
        for condition in statement.conditions:
            if condition.key == besides:
                continue
            value = lookup(condition.key) if condition.operator.startswith("String") else None
            if (
                isinstance(value, tuple)
                and value != ("",)
                and (condition.key == self._caller.sub or condition.key.startswith(TAG_KEY))
            ):
                negated = negates(condition.operator)
                stores = self._matched(condition, value[0], lookup, statement.expands, wide is not negated)
                if negated:
                    if NOTHING in stores:
                        return None
                    nogoods += stores
                elif not stores:
                    return None
                elif NOTHING not in stores:
                    alternatives.append(tuple(stores))
                continue
            truth = holds(condition, lookup, statement.expands)
            if truth is Truth.NO or (truth is Truth.MAYBE and not wide):
                return None
        return Guard(tuple(alternatives), tuple(nogoods))

    def _matched(self, condition: Condition, value: str, lookup: Lookup, expands: bool, wide: bool) -> list[StoreId]:
        """The stores under which the ID, or a tag, matches some value; with what is not known, if that makes it `wide`."""
        fold = "IgnoreCase" in condition.operator
        found: list[StoreId] = []
        for wanted in condition.values:
            parts = template(wanted, expands, condition.operator in LIKE_OPERATORS)
            option = concretise(parts, lookup, widen=True)
            if option.pattern is None or (not option.exact and not wide):
                continue
            symbolic = self._symbolic
            found += accepted(
                option.pattern,
                value,
                fold,
                symbolic.stores,
                symbolic.strangers.alphabet,
                symbolic.budget,
            )
        return list(dict.fromkeys(found))


class _Test(NamedTuple):
    """A condition on `s3:prefix`: for no prefix, for the empty one, and the patterns that it takes, or not if `negated`."""

    absent: bool
    empty: bool
    constant: bool
    patterns: tuple[Pattern, ...] | None
    negated: bool
    fold: bool


def _test(condition: Condition, lookup: Lookup, expands: bool, wide: bool) -> _Test:
    def given(value: Values) -> Callable[[str], Values]:
        return lambda key: value if key == PREFIX_KEY else lookup(key)

    def settled(value: Values) -> bool:
        truth = holds(condition, given(value), expands)
        return truth is Truth.YES or (truth is Truth.MAYBE and wide)

    absent, empty = settled(Missing.ABSENT), settled(("",))
    if condition.qualifier == "ForAllValues":
        # True when the key is absent or empty; whether one empty string counts as empty is left open.
        empty = empty or wide
    if condition.operator == "Null":
        return _Test(absent, empty, empty, None, False, False)
    if not condition.operator.startswith("String"):
        return _Test(absent, empty, wide, None, False, False)
    negated = negates(condition.operator)
    patterns: list[Pattern] = []
    for value in condition.values:
        # Widening the values makes a positive test wider and a negated one narrower.
        parts = template(value, expands, condition.operator in LIKE_OPERATORS)
        one = concretise(parts, lookup, widen=wide is not negated)
        if one.pattern is not None:
            patterns.append(one.pattern)
    return _Test(absent, empty, True, tuple(patterns), negated, "IgnoreCase" in condition.operator)


class _Prefix(Enum):
    """What a listing says of its prefix: nothing, the empty one, or one that is tested as the key is read."""

    ABSENT = "absent"
    EMPTY = "empty"
    SOME = "some"

    @property
    def tested(self) -> bool:
        return self is _Prefix.SOME

    def settles(self, test: _Test) -> bool:
        """Whether the test holds, or is still to be made on the key."""
        if self.tested:
            return test.constant and (test.patterns is None or test.negated or bool(test.patterns))
        return test.absent if self is _Prefix.ABSENT else test.empty


def _names_bucket(arns: Sequence[Pattern]) -> list[tuple[Part, ...]]:
    """Patterns of ARNs as they match a bucket's: nothing in them is, or spans, a `/`."""
    parts: dict[Wild, Part] = {Wild.ANY: _NO_SLASH, Wild.WITHIN: Not(":/", many=True), Wild.ONE: Not("/", many=False)}

    def inside(token: str | Wild | Text) -> Part:
        if isinstance(token, Text):
            return token._replace(excluded=f"{token.excluded}/")
        return parts[token] if isinstance(token, Wild) else token

    return [tuple(map(inside, arn)) for arn in arns if "/" not in arn]


@lru_cache(maxsize=4096)
def _beginning(pattern: tuple[Part, ...]) -> str:
    """The characters before the first part that is not a single one."""
    found: list[str] = []
    for part in pattern:
        if not isinstance(part, str) or len(part) != 1:
            break
        found.append(part)
    return "".join(found)
