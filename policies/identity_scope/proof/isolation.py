"""INVARIANT (isolation): no key in the reach of one identity, or opened to everyone, is in the reach of another.

First with IDs whose digits are read loosely, every role with every other at once, which settles most stacks; then exactly,
Allow by Allow, where something may be shared. What is found is a request of each of two identities, replayed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import product
from typing import NamedTuple

from ..automata.globs import Wild, literal, matches
from ..automata.symbolic import Not, Question, Word
from ..automata.walk import Budget, BudgetExceeded, shortest_word
from ..iam.actions import LIST_ACTIONS
from ..iam.claims import Tag
from ..iam.documents import Effect
from ..iam.evaluator import Reading, resource_patterns
from ..iam.issuers import Shape
from ..iam.principals import grantee
from ..iam.variables import Missing
from ..inventory.principal import Principal
from .access_points import is_pending, located, named_point, unknown_alias
from .beginnings import meetings
from .identities import Strangers
from .questions import Grant, Reader, Symbolic, track
from .reach import AllObjects, ListingReach, Reach, View, list_reach, object_reach, shared_patterns
from .replay import readable, replayed
from .results import Access, Cause, NotProven, Violation
from .scope import Scope
from .sessions import Differing, cannot_differ, slots
from .tag_values import Person, Values, for_two, liked, open_texts, spelt_out


def isolation(scope: Scope) -> list[Violation | NotProven]:
    """Every Allow by which two identities reach the same object, each with one example; nothing where there is none."""
    found: list[Violation | NotProven] = []
    budget = Budget(scope.steps)
    try:
        for shape in scope.shapes():
            if shape.issuer is None:
                return [NotProven(f"the identity issuer of {shape.region} is not known", region=shape.region)]
            for tenant in _tenants(scope):
                found += _Pairs(scope, shape, budget, tenant).results()
            if found:
                break
        told = {cause for result in found for cause in result.statements}
        for shape in scope.shapes()[:1]:
            found += _access_points(scope, shape, budget, told)
    except BudgetExceeded as error:
        found.append(NotProven(str(error)))
    return list({result.cause: result for result in found}.values())


def _tenants(scope: Scope) -> list[str | None]:
    """The tags whose values tell tenants apart, each of which some session has; None where people are to be isolated."""
    sent = {tag.key for p in scope.by_session if p.session is not None for tag in p.session.tags}
    return [*sorted(scope.declared_tenants & sent)] or [None]


_FEW = 4000
"""Steps within which most pairs of Allows are decided."""


class _Part(NamedTuple):
    """What one group of actions reaches through one role: a part of an identity's reach."""

    principal: Principal
    view: View
    reach: Reach

    @property
    def listing(self) -> bool:
        return isinstance(self.reach, ListingReach)


class _Pairs:
    """Two identities of one shape: the parts of their reaches, compared loosely, then exactly."""

    def __init__(self, scope: Scope, shape: Shape, budget: Budget, tenant: str | None = None) -> None:
        self._scope = scope
        self._shape = shape
        self._budget = budget
        self._tenant = tenant
        self._strangers: Strangers = scope.strangers(shape)
        self._grants: dict[tuple[int, int, View], list[Grant]] = {}
        self._found: list[Violation | NotProven] = []
        self._told: set[Cause] = set()

    def results(self) -> list[Violation | NotProven]:
        try:
            for mine, theirs in self._pairs():
                self._compare(mine, theirs)
        except BudgetExceeded as error:
            self._found.append(NotProven(str(error)))
        return self._found

    def _pairs(self) -> Iterator[tuple[_Part, _Part]]:
        """Pairs of parts that what they begin with does not keep apart."""
        mine, theirs = (self._parts(identity) for identity in self._strangers.loose)
        # Each part with its own first: an example of one statement says more than one of two.
        for my, their in zip(mine, theirs, strict=True):
            if self._asks_about(my, their):
                yield from self._meeting([my], [their])
        if len(mine) > 1:
            yield from (pair for pair in self._meeting(mine, theirs, once=True) if self._asks_about(*pair))
        openers = [p for p in self._scope.requesters if any(policy.document.statements for policy in p.resource)]
        identity = self._strangers.loose[0]
        views = (View.EVERYONE, View.ANYBODY)
        opened = [part for p in openers for view in views for part in self._parts_of(p, identity, view)]
        if opened:
            yield from (pair for pair in self._meeting(opened, theirs) if self._asks_about(*pair))

    def _meeting(
        self, mine: Sequence[_Part], theirs: Sequence[_Part], once: bool = False
    ) -> Iterator[tuple[_Part, _Part]]:
        """The pairs of which some beginnings may be those of one word; with `once`, each of two different parts once."""
        pairs = meetings(
            [part.reach.prefixes for part in mine],
            [part.reach.prefixes for part in theirs],
            self._strangers.loose,
            self._strangers.apart,
            self._budget,
        )
        return ((mine[i], theirs[j]) for i, j in pairs if not once or i < j)

    def _asks_about(self, mine: _Part, theirs: _Part) -> bool:
        return self._scope.asks_about(mine.principal) or self._scope.asks_about(theirs.principal)

    def _parts(self, identity: str) -> list[_Part]:
        return [part for p in self._scope.requesters for part in self._parts_of(p, identity, View.ROLE)]

    def _parts_of(self, principal: Principal, identity: str, view: View) -> list[_Part]:
        anonymous = view is View.ANYBODY
        caller = self._scope.caller(identity, self._shape)
        caller = replace(caller, loose=self._strangers.loosened, anonymous=anonymous)
        shared = self._scope.shared if view is View.ROLE else ()
        reaches: list[Reach] = [
            *object_reach(principal, caller, shared, view=view),
            *list_reach(principal, caller, shared, view),
        ]
        return [_Part(principal, view, reach) for reach in reaches]

    def _meet(self, mine: _Part, theirs: _Part) -> bool:
        """Whether two parts may have a key in common; also where that cannot be told within half of the budget."""
        machines = [AllObjects(self._shape), mine.reach, theirs.reach]
        try:
            budget = self._budget.part(self._budget.left // 2)
            return shortest_word(machines, all, [True] * 3, budget) is not None
        except BudgetExceeded:
            return True

    # Exactly

    @cached_property
    def _symbolic(self) -> Symbolic:
        return Symbolic(self._strangers, self._budget, self._tenant)

    def _grants_of(self, part: _Part, side: int) -> list[Grant]:
        key = side, id(part.principal), part.view
        if key not in self._grants:
            self._grants[key] = self._read(part.principal, part.view, side)
        places = {each.place for each in part.reach.allows}
        return [grant for grant in self._grants[key] if grant.place in places and self._is_of(grant, part)]

    def _read(self, principal: Principal, view: View, side: int, named: Mapping[str, str] | None = None) -> list[Grant]:
        """A role's grants, with some values of the tags that its session leaves open."""
        caller = self._scope.stranger(self._strangers, side, named)
        reader = Reader(self._symbolic, replace(caller, anonymous=view is View.ANYBODY), side)
        shared = self._scope.shared if view is View.ROLE else ()
        return [*reader.objects(principal, shared, view=view), *reader.listings(principal, shared, view)]

    @staticmethod
    def _is_of(grant: Grant, part: _Part) -> bool:
        """Whether a grant is for an action of a part; read exactly, fewer actions may be treated alike."""
        if isinstance(part.reach, ListingReach):
            return grant.listing and grant.action == part.reach.action
        return bool(grant.actions & part.reach.actions)

    def _compare(self, mine: _Part, theirs: _Part) -> None:
        """Each Allow of mine that nothing has been said about yet, with theirs: its own first.

        Most are decided in a few steps. Where some are not, the machines of all patterns together may still keep the parts
        apart, however many stars there are; if they do not, what is left is decided as far as the budget goes.
        """
        undecided: list[tuple[Grant, Grant]] = []
        budget = self._budget.part(min(_FEW, self._budget.left // 4))
        for grant, other in self._grant_pairs(mine, theirs):
            if not self._told_of(grant, other):
                try:
                    self._search(grant, other, budget)
                except BudgetExceeded:
                    if self._budget.left <= 0:
                        raise
                    undecided.append((grant, other))
        undecided = [pair for pair in undecided if not self._told_of(*pair)]
        if undecided and self._meet(mine, theirs):
            for grant, other in undecided:
                if not self._told_of(grant, other):
                    self._search(grant, other, self._budget)

    def _grant_pairs(self, mine: _Part, theirs: _Part) -> Iterator[tuple[Grant, Grant]]:
        ours, others = self._grants_of(mine, 0), self._grants_of(theirs, 1)
        alike = mine.principal is theirs.principal and (mine.view, mine.reach.action) == (
            theirs.view,
            theirs.reach.action,
        )
        alike = alike and mine.listing is theirs.listing and mine.reach.allows == theirs.reach.allows
        for index, grant in enumerate(ours):
            # A part and itself: the pair the other way round is the same, with the identities exchanged.
            yield from ((grant, other) for other in others[index:] if alike and other.place == grant.place)
        for index, grant in enumerate(ours):
            for other in others[index:] if alike else others:
                if not (alike and other.place == grant.place):
                    yield grant, other

    def _told_of(self, mine: Grant, theirs: Grant) -> bool:
        return mine.cause in self._told or theirs.cause in self._told

    def _search(self, mine: Grant, theirs: Grant, budget: Budget) -> None:
        symbolic = self._symbolic
        if mine.place == theirs.place:
            # Each of many patterns with itself first, which is what most mistakes are.
            for one, other in zip(mine.split(), theirs.split(), strict=False):
                if not symbolic.apart(one, other, budget):
                    self._search_all(one, other, budget)
                    if self._told_of(mine, theirs):
                        return
        if not symbolic.apart(mine, theirs, budget):
            self._search_all(mine, theirs, budget)

    def _search_all(self, mine: Grant, theirs: Grant, budget: Budget) -> None:
        symbolic = self._symbolic
        different = symbolic.differing(mine, theirs)
        if cannot_differ(different):
            return
        word = symbolic.find(symbolic.between(mine, theirs), budget)
        if word is None:
            return
        shown = False
        if not open_texts(mine.principal.session) and not open_texts(theirs.principal.session):
            shown = self._show(mine, theirs, word, ({}, {}))
        else:
            for one, other, values in self._with_values(mine, theirs, word, different):
                named = symbolic.find(symbolic.between(one, other))
                shown = named is not None and self._show(one, other, named, values)
                if shown:
                    break
        if not shown:
            arn = self._strangers.written(word.letters, word.digits)
            self._found.append(
                NotProven(f"no request that reaches `{arn}` could be confirmed", mine.principal.urn, mine.document)
            )
            self._told.add(mine.cause)

    def _with_values(
        self, mine: Grant, theirs: Grant, word: Word, different: Differing
    ) -> Iterator[tuple[Grant, Grant, tuple[Values, Values]]]:
        """The same two grants with values of the tags that sessions leave open."""
        mentioned = [s for grant in (mine, theirs) for s in grant.principal.statements]
        spelt = spelt_out(word, mine.texts), spelt_out(word, theirs.texts)
        tenants = self._scope.declared_tenants
        sessions = mine.principal.session, theirs.principal.session
        for values in for_two(*sessions, different, spelt, liked(mentioned), tenants):
            ours, others = (
                [g for g in self._read(grant.principal, grant.view, side, values[side]) if _is_the_same(g, grant)]
                for side, grant in enumerate((mine, theirs))
            )
            self._budget.spend(1 + len(ours) + len(others) + len(mentioned) // 8)
            for one, other in product(ours, others):
                yield one, other, values

    def _show(self, mine: Grant, theirs: Grant, word: Word, values: tuple[Values, Values]) -> bool:
        """Report an example, if both requests are allowed."""
        symbolic, strangers = self._symbolic, self._strangers
        # The same, but in a place that is visibly the other's, where there is one: easier to see what is wrong.
        visible = (strangers.exact[1], *strangers.exact_uuids(1).values(), *values[1].values())
        there = track(*((Wild.ANY, *literal(text), Wild.ANY) for text in visible))
        word = self._visible(symbolic, symbolic.between(mine, theirs, there), word)
        arn = strangers.written(word.letters, word.digits)
        one, other = (
            Person(identity, {**strangers.named_uuids(side, word.digits), **values[side]})
            for side, identity in enumerate(strangers.named(word.digits))
        )
        if any(_value(tag, mine, one) == _value(two, theirs, other) for tag, two in symbolic.differing(mine, theirs)):
            return False
        stops = dict(word.stops)
        access = self._replayed(one, mine, arn, stops.get(0))
        their = self._replayed(other, theirs, arn, stops.get(1))
        access, their, arn = self._readably(access, their, arn, (one, mine), (other, theirs))
        if access is None or their is None:
            return False
        # Whose folder it is stands in the key first: the other is the one who should not be there.
        places = [_place(arn, side) for side in (access, their)]
        first = access.anonymous or places[1] <= places[0]
        violation = Violation(access, their, arn) if first else Violation(their, access, arn)
        if not set(violation.statements) & self._told:
            self._found.append(violation)
        self._told |= {mine.cause, theirs.cause, *violation.statements}
        return True

    def _readably(
        self,
        access: Access | None,
        their: Access | None,
        arn: str,
        mine: tuple[Person, Grant],
        theirs: tuple[Person, Grant],
    ) -> tuple[Access | None, Access | None, str]:
        """The two requests for an object whose key looks less like a mistake in typing, where that shows the same."""
        named = readable(arn)
        if access is None or their is None or named == arn:
            return access, their, arn
        try:
            one, other = self._replayed(*mine, named), self._replayed(*theirs, named)
        except BudgetExceeded:
            return access, their, arn
        same = self._tells_the_same(access, one, named, *mine) and self._tells_the_same(their, other, named, *theirs)
        return (one, other, named) if same else (access, their, arn)

    def _tells_the_same(
        self, access: Access | None, other: Access | None, arn: str, person: Person, grant: Grant
    ) -> bool:
        """Whether another request shows the same mistake, outside the shared spaces."""
        if access is None or other is None:
            return False
        caller = self._scope.caller(person.identity, self._shape, person.tags).of(grant.principal)
        spaces = shared_patterns(self._scope.shared, caller)
        told = access.cause == other.cause and access.assumed == other.assumed and access.exact == other.exact
        return told and not any(matches(pattern, arn) for pattern in spaces)

    def _visible(self, symbolic: Symbolic, question: Question, word: Word) -> Word:
        try:
            return symbolic.find(question, self._budget.part(self._scope.steps // 20)) or word
        except BudgetExceeded:
            return word

    def _replayed(self, person: Person, grant: Grant, arn: str, stop: int | None = None) -> Access | None:
        return replayed(
            self._scope,
            self._shape,
            person.identity,
            grant.principal,
            grant.action,
            arn,
            self._budget,
            grant.listing,
            grant.view,
            stop,
            person.tags,
        )


def _is_the_same(grant: Grant, other: Grant) -> bool:
    """Whether two grants are of one statement, for the same actions."""
    kind = grant.listing is other.listing and (not grant.listing or grant.action == other.action)
    return kind and grant.place == other.place and (grant.listing or bool(grant.actions & other.actions))


def _value(tag: Tag, grant: Grant, person: Person) -> str | None:
    return tag.value if tag.value is not None else person.tags.get(slots(grant.principal.session)[tag.key])


def _place(arn: str, access: Access) -> int:
    """Where the ARN first names somebody; behind its end where it does not."""
    names = (access.identity, *(value for _, value in access.tags))
    return min(arn.find(name) % (len(arn) + 1) for name in names)


_LATER = "which bucket's objects the access point shows"
_ANOTHER_NAME = "an access point shows a bucket's objects under another name, and no document says which bucket"


def _access_points(scope: Scope, shape: Shape, budget: Budget, told: set[Cause]) -> Iterator[NotProven]:
    """Grants that cover an access point outside the stack: no document says which bucket's objects it shows."""
    for principal in filter(scope.asks_about, scope.principals):
        yield from _of_unknown_points(principal, scope, shape)
    beside = f"arn:{shape.partition}:s3:::"
    texts = {text for p in scope.principals for _, d in p.documents for s in d.statements for text in s.resources}
    if all(text.startswith(beside) for text in texts) and not any(
        s.not_resource for p in scope.principals for _, d in p.documents for s in d.statements
    ):
        return  # as most are
    symbolic = Symbolic(scope.strangers(shape), budget)
    reader = Reader(symbolic, scope.stranger(symbolic.strangers, 0), 0)
    head = literal(f"arn:{shape.partition}:s3:")
    field = Not(":", many=True)  # the region is empty for a Multi-Region Access Point
    points = track((*head, field, ":", Not(":", many=False), field, *literal(":accesspoint/"), Wild.ANY))
    for principal in filter(scope.asks_about, scope.by_session):
        grants = [*reader.objects(principal), *reader.objects(principal, universe=LIST_ACTIONS)]
        known = [p.arn for each in principal.access_points if (p := located(each, principal)) is not None and p.arn]
        proven = [pattern for arn in known for pattern in (literal(arn), (*literal(arn), "/", Wild.ANY))]
        for grant in grants:
            if grant.cause in told or all(each.startswith(beside) for each in grant.beginnings):
                continue
            if _covers_all(grant, shape) or symbolic.find(symbolic.alone(grant, points, forbidden=proven)) is None:
                continue
            told.add(grant.cause)
            texts_ = grant.statement.resources
            pending = not grant.statement.not_resource and any(is_pending(t, principal.access_points) for t in texts_)
            open_ = not grant.statement.not_resource and all(named_point(text) or beside in text for text in texts_)
            reason = _LATER if pending else _ANOTHER_NAME
            yield NotProven(reason, principal.urn, grant.document, grant.statement, pending, open_)


def _of_unknown_points(principal: Principal, scope: Scope, shape: Shape) -> Iterator[NotProven]:
    """What the policies of access points whose bucket is not known allow, and grants by an alias that is not known."""
    for policy in principal.resource:
        if policy.access_point is None or located(policy.access_point, principal) is not None:
            continue
        for statement in policy.document.statements:
            if statement.effect is Effect.ALLOW and grantee(statement, principal.arns, scope.issuers_known):
                pending = policy.access_point.single
                reason = _LATER if pending else _ANOTHER_NAME
                yield NotProven(reason, principal.urn, policy.name, statement, pending, open=True)
    for name, document in principal.documents:
        for statement in document.statements:
            texts = () if statement.effect is Effect.DENY or statement.not_resource else statement.resources
            unknown = [text for text in texts if unknown_alias(text, principal.access_points)]
            if unknown:
                pending = is_pending(unknown[0], principal.access_points)
                reason = _LATER if pending else _ANOTHER_NAME
                yield NotProven(reason, principal.urn, name, statement, pending, open=True)


def _covers_all(grant: Grant, shape: Shape) -> bool:
    """Whether a grant covers every object by its bucket's name, so that an access point adds nothing to it."""
    if grant.forbidden or grant.requirements or len(grant.tracks) > 1 or grant.statement.not_resource:
        return False
    statement = grant.statement
    patterns, _ = resource_patterns(statement, lambda _: Missing.ABSENT, Reading.PESSIMISTIC)
    return any(pattern[-1:] == (Wild.ANY,) and matches(pattern, f"arn:{shape.partition}:s3:::") for pattern in patterns)
