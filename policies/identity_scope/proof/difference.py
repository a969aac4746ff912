"""What one version of a role allows and another does not: a shortest request, or that there is none.

INVARIANT (no new access). Nothing is found only where each request that the new documents allow, for every identity and
whatever their conditions refer to, is allowed by the old ones.

A request is an action, an ARN, for listings a prefix or none, and which of the conditions hold that the documents do not
decide. Actions fall into classes that all patterns treat alike. A condition is a truth value of its own: equal conditions
are one, and those that imply or exclude each other are tried together. The digits of the identity's ID are not known: what
must match takes the letter that stands for them in the place of any digit, what must not match does not
(`proof/identities.py`). A variable of which nothing is known has one value that is equal to no literal text; what it might
be equal to is asked about separately, and is not proven where that would make a difference. A `*` spans everything in both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import NamedTuple, TypeAlias

from ..automata.globs import GlobSet, Loose, Pattern, Text, Wild, literal, matches
from ..automata.walk import Budget, BudgetExceeded, Machine, covers, fresh_letter, shortest_word
from ..iam.actions import BUCKET_PIVOTS, LIST_ACTIONS, OBJECT_ACTIONS, OTHER_PIVOTS
from ..iam.callers import made_by
from ..iam.conditions import LIKE_OPERATORS, Truth, holds, negates
from ..iam.documents import Condition, Effect, Statement
from ..iam.evaluator import variables_of
from ..iam.issuers import NAMED, Shape
from ..iam.principals import Grantee, denies_everyone, grantee, is_denied, names_everyone
from ..iam.variables import Missing, Values, Variable, arn_template, may_be_absent, template
from ..inventory.principal import Principal
from .reach import LISTING_KEYS, PREFIX_KEY, AllObjects, of_bucket, within_bucket
from .results import NotProven
from .scope import Scope

STEPS = 200_000
"""Steps that the comparison of two versions of a role may cost."""
_MAX_COMBINATIONS = 1024
"""How many ways in which conditions may turn out are tried."""
_MAX_IDENTITIES = 50
_OPAQUE = 0xF8000
"""Where letters begin that stand for variables of which nothing is known."""
_PREFIX = "\U000ffffd"
"""The letter between an ARN and a prefix."""

_LISTS = frozenset(action.lower() for action in LIST_ACTIONS)
_OBJECTS = frozenset(action.lower() for action in OBJECT_ACTIONS)
_KNOWN = {
    action.lower(): action
    for action in (*OBJECT_ACTIONS, *LIST_ACTIONS, *BUCKET_PIVOTS, *OTHER_PIVOTS)
    if "DoesNotExistYet" not in action
}
_OF_BUCKETS = frozenset(action.lower() for action in BUCKET_PIVOTS)


@dataclass(frozen=True)
class NewAccess:
    """A request that the new documents of a role allow and its old ones do not.

    Attributes:
        identity: an identity that may make it.
        action: an action, or the entry of Action where no known action shows it.
        prefix: the `s3:prefix` of a listing; None where the request names none.
        document: the document that allows it, and its statement.
        assumed: conditions that have to hold for it.
        anonymous: whether it comes without credentials, so that `identity` is nobody's.
    """

    identity: str
    action: str
    resource: str
    prefix: str | None
    document: str
    statement: Statement
    assumed: tuple[Condition, ...] = ()
    anonymous: bool = False


def new_access(
    old: Principal | None, new: Principal | None, scope: Scope, steps: int = STEPS
) -> list[NewAccess | NotProven]:
    """For each Allow of the new documents by which a request comes to be allowed, a shortest one; nothing if there is none.

    Args:
        old: the role with its old documents; None where there was no such role.
        new: the role with its new documents; None where there is none any more.
        scope: both, and what is known of their pools.
    """
    if new is None:
        return []
    found: list[NewAccess | NotProven] = []
    budget = Budget(steps)
    try:
        old = old or Principal(new.name, ())
        for shape in scope.shapes()[:1]:
            found += _Comparison(old, new, scope, shape, budget).results()
            # What takes something away from the role does not from somebody without credentials.
            told = {(each.document, each.statement) for each in found}
            strangers = _Comparison(_nobody(old), _nobody(new), scope, shape, budget, anonymous=True)
            found += [each for each in strangers.results() if (each.document, each.statement) not in told]
    except BudgetExceeded as error:
        found.append(NotProven(str(error), new.urn))
    return found


def _nobody(principal: Principal) -> Principal:
    """Somebody without credentials, to whom only the policies of buckets speak."""
    policies = [
        replace(policy, document=replace(policy.document, statements=tuple(statements)))
        for policy in principal.resource
        if policy.access_point is None
        and (
            statements := [
                made
                for each in policy.document.statements
                if (made := made_by(each, (), True)) is not None
                and (each.effect is Effect.DENY or names_everyone(each.principals))
            ]
        )
    ]
    return Principal(principal.name, (), None, tuple(policies), urn=principal.urn)


class _Atom(NamedTuple):
    """A condition that the documents do not decide; of a principal, whether it means the role."""

    label: str
    key: str
    values: tuple[str, ...]
    expands: bool


class _PrefixTest(NamedTuple):
    """A condition on `s3:prefix`: without one, for the empty one, and the patterns that it takes, or not if `negated`."""

    absent: bool
    empty: bool
    patterns: tuple[Pattern, ...] | None
    constant: bool
    negated: bool
    fold: bool


@dataclass(frozen=True)
class _Clause:
    """A statement of one version."""

    kind: str
    """`allow`, `deny` or `boundary`."""
    document: str
    statement: Statement
    limited: bool
    bucket: str | None
    atoms: frozenset[_Atom]
    conditions: tuple[tuple[_Atom, Condition], ...]

    @cached_property
    def actions(self) -> GlobSet:
        return _action_set(self.statement.actions)

    def covers(self, action: str) -> bool:
        return self.actions.matches(action) is not self.statement.not_action

    @property
    def alike(self) -> tuple[object, ...]:
        """What tells it from a statement that says something else."""
        some = self.statement
        return (
            *(self.kind, self.limited, self.bucket, self.atoms, some.not_action, some.not_resource, some.expands),
            *(tuple(sorted(map(str.lower, some.actions))), tuple(sorted(some.resources))),
            frozenset(c for c in some.conditions if c.key == PREFIX_KEY),
        )


def _arns(action: str) -> tuple[bool, ...]:
    """Which ARNs an action takes, as far as it is known: of objects or buckets, and whether with a prefix."""
    return action in _OBJECTS, action in _OF_BUCKETS, action in _LISTS


@lru_cache(maxsize=4096)
def _action_set(actions: tuple[str, ...]) -> GlobSet:
    return GlobSet([_plain(action.lower()) for action in actions])


def _plain(text: str) -> Pattern:
    return tuple(part for part in template(text, expands=False) if not isinstance(part, Variable))


Valuation: TypeAlias = frozenset[_Atom]
"""The conditions that hold."""


class _Version:
    """One version of a role: its statements."""

    def __init__(self, principal: Principal, comparison: _Comparison) -> None:
        self.bounded = principal.boundary is not None
        self.clauses = list(self._clauses(principal, comparison))
        self.allows = [clause for clause in self.clauses if clause.kind == "allow"]
        self.denies = [clause for clause in self.clauses if clause.kind == "deny"]
        self.boundary = [clause for clause in self.clauses if clause.kind == "boundary"]

    @staticmethod
    def _clauses(principal: Principal, comparison: _Comparison) -> Iterator[_Clause]:
        for kind, documents in (("allow", principal.documents), ("boundary", principal.boundary or ())):
            for name, document in documents:
                for statement in document.statements:
                    own = kind if statement.effect is Effect.ALLOW else "deny"
                    yield from comparison.clause(own, name, statement)
        for policy in principal.resource:
            for statement in policy.document.statements if policy.access_point is None else ():
                means = _Atom("principal", str(statement.principals), (), False)
                if statement.effect is Effect.ALLOW:
                    granted = grantee(statement, principal.arns, comparison.issuers)
                    if granted is not None:
                        limited = granted is Grantee.ROLE
                        yield from comparison.clause("allow", policy.name, statement, limited, policy.bucket)
                else:
                    certain = policy.bucket is not None and (
                        denies_everyone(statement.principals) or is_denied(statement.principals, principal.arns)
                    )
                    atoms = () if certain else (means,)
                    yield from comparison.clause("deny", policy.name, statement, True, policy.bucket, atoms)


class _Comparison:
    def __init__(
        self, old: Principal, new: Principal, scope: Scope, shape: Shape, budget: Budget, anonymous: bool = False
    ) -> None:
        self._scope = scope
        self._shape = shape
        self._budget = budget
        self._principal = new
        strangers = scope.strangers(shape)
        self._loose = Loose(strangers.loosened.digits, strangers.loosened.letters[0])
        self._identity = strangers.loose[0]
        self._caller = replace(scope.caller(self._identity, shape), anonymous=anonymous)
        self.issuers = self._caller.issuers
        self._opaque: dict[tuple[str, str | None], str] = {}
        self._letters = scope.mentions.letters
        self._patterns: dict[tuple[int, bool], tuple[_Clause, list[Pattern]]] = {}
        self._conditions: dict[_Atom, Condition] = {}
        self._new = _Version(new, self)
        self._old = _Version(old, self)
        self._points = tuple(
            (
                [
                    (policy.name, policy.document, policy.access_point)
                    for policy in each.resource
                    if policy.access_point
                ],
                each.access_points,
            )
            for each in (new, old)
        )

    # --- statements

    def clause(
        self,
        kind: str,
        name: str,
        statement: Statement,
        limited: bool = True,
        bucket: str | None = None,
        more: Iterable[_Atom] = (),
    ) -> Iterator[_Clause]:
        """A statement with those of its conditions that the documents do not decide; nothing if it never applies."""
        atoms: list[tuple[_Atom, Condition]] = []
        lookup = self._caller.request("x:X", "*").lookup
        sub = self._caller.sub

        def look(key: str) -> Values:
            return Missing.UNKNOWN if key == PREFIX_KEY else lookup(key)

        for condition in statement.conditions:
            if condition.key == PREFIX_KEY:
                continue
            on_listing = condition.key in LISTING_KEYS
            known = condition.operator == "Null" or (condition.key != sub and not on_listing)
            truth = holds(condition, look, statement.expands) if known else Truth.MAYBE
            if truth is Truth.NO:
                return
            if truth is Truth.MAYBE:
                atom = _Atom(condition.label, condition.key, condition.values, statement.expands)
                atoms.append((atom, condition))
                self._conditions[atom] = condition
        if statement.effect is Effect.DENY:
            # AWS may take a Deny for invalid while a variable of it has no value.
            more = (
                *more,
                *(_Atom("has a value", v.key, (), True) for v in variables_of(statement) if may_be_absent(v, look)),
            )
        own = frozenset((*more, *(atom for atom, _ in atoms)))
        yield _Clause(kind, name, statement, limited, bucket, own, tuple(atoms))

    def patterns(self, clause: _Clause, wide: bool) -> list[Pattern]:
        """What its Resource or NotResource matches, with any text for what is not known if `wide`."""
        key = id(clause), wide
        if key not in self._patterns:
            found = [
                pattern
                for text in clause.statement.resources
                if (pattern := self._pattern(arn_template(text, clause.statement.expands), text, wide)) is not None
            ]
            if clause.bucket is not None and not clause.statement.not_resource:
                found = [p for f in found for p in within_bucket(f, self._shape.partition, clause.bucket)]
            self._patterns[key] = clause, found  # which keeps the clause, and so its id
        return self._patterns[key][1]

    def _pattern(self, parts: Iterable[str | Wild | Variable], text: str, wide: bool) -> Pattern | None:
        tokens: list[str | Wild] = []
        lookup = self._caller.request("x:X", "*").lookup
        for part in parts:
            if not isinstance(part, Variable):
                tokens.append(part)
                continue
            value = lookup(part.key) if part.key else Missing.UNKNOWN
            if value is Missing.ABSENT:
                if part.default is None:
                    return None
                tokens.extend(part.default)
            elif isinstance(value, tuple) and len(value) == 1:
                tokens.extend(value[0])
            elif wide:
                tokens.append(Wild.ANY)
            else:
                tokens.append(self._letter(part.key or text, part.default))
        return tuple(tokens)

    def _letter(self, key: str, default: str | None) -> str:
        """The letter that stands for a variable of which nothing is known."""
        if (key, default) not in self._opaque:
            code = _OPAQUE + len(self._opaque)
            while chr(code) in self._letters or chr(code) in self._opaque.values():
                code += 1
            self._opaque[key, default] = chr(code)
        return self._opaque[key, default]

    def prefix_tests(self, clause: _Clause, larger: bool, wide: bool) -> list[_PrefixTest]:
        """Its conditions on `s3:prefix`, so that it applies to more requests if `larger`, else to fewer."""
        lookup = self._caller.request("x:X", "*").lookup
        found: list[_PrefixTest] = []
        for condition in clause.statement.conditions:
            if condition.key != PREFIX_KEY:
                continue

            def settled(value: Values, condition: Condition = condition) -> bool:
                truth = holds(
                    condition, lambda key: value if key == PREFIX_KEY else lookup(key), clause.statement.expands
                )
                return truth is Truth.YES or (truth is Truth.MAYBE and larger)

            absent, empty = settled(Missing.ABSENT), settled(("",))
            if not condition.operator.startswith("String"):
                found.append(_PrefixTest(absent, empty, None, settled(("x",)), False, False))
                continue
            negated = negates(condition.operator)
            like = condition.operator in LIKE_OPERATORS
            parts = [template(value, clause.statement.expands, like) for value in condition.values]
            patterns = [
                self._pattern(p, v, wide and larger is not negated)
                for p, v in zip(parts, condition.values, strict=True)
            ]
            some = tuple(pattern for pattern in patterns if pattern is not None)
            fold = "IgnoreCase" in condition.operator
            found.append(_PrefixTest(absent, empty, some, False, negated, fold))
        return found

    # --- the question

    def results(self) -> Iterator[NewAccess | NotProven]:
        (policies, points), before = self._points
        changed = policies != before[0] or (points != before[1] and any(map(_through_points, self._new.allows)))
        if changed and (policies or points):
            document = policies[0][0] if policies else ""
            yield NotProven("access points and their policies are not compared", self._principal.urn, document)
        same = {clause.alike for clause in self._old.allows}
        kept = self._keeps_denies()
        for clause in self._new.allows:
            if kept and clause.alike in same:
                continue
            yield from self._of(clause, kept)

    def _keeps_denies(self) -> bool:
        """Whether whatever the old version denies, the new one does as well: then an equal Allow is no new access."""
        denied = {clause.alike for clause in self._new.denies}
        bounded = self._old.bounded and (
            not self._new.bounded or {c.alike for c in self._new.boundary} - {c.alike for c in self._old.boundary}
        )
        return not bounded and all(clause.alike in denied for clause in self._old.denies)

    def _of(self, clause: _Clause, kept: bool) -> Iterator[NewAccess | NotProven]:
        """The first new request of an Allow, by its entries of Action and Resource."""
        statement = clause.statement
        pairs = {
            (action.lower(), resource)
            for other in (self._old.allows if kept else ())
            if not other.statement.not_action
            and not other.statement.not_resource
            and _alike_but_for_entries(other, clause)
            for action in other.statement.actions
            for resource in other.statement.resources
        }
        simple = not statement.not_action and not statement.not_resource
        unproven: NotProven | None = None
        asked: set[object] = set()
        for action in ("*",) if statement.not_action else statement.actions:
            for representative in self._representatives(clause, action):
                for resource in (None,) if statement.not_resource else statement.resources:
                    if simple and (action.lower(), resource) in pairs:
                        continue
                    some = clause
                    if resource is not None:
                        some = replace(clause, statement=replace(statement, resources=(resource,)))
                    question = (self._treated(representative), representative in _LISTS, resource)
                    if question in asked:
                        continue
                    asked.add(question)
                    result = self._ask(some, clause, action, representative)
                    if isinstance(result, NewAccess):
                        yield result
                        return
                    unproven = unproven or result
        if unproven is not None:
            yield unproven

    def _treated(self, action: str) -> tuple[bool, ...]:
        """How all statements treat an action, and what ARNs it takes."""
        clauses = (*self._new.clauses, *self._old.clauses)
        return (*(c.covers(action) for c in clauses), *_arns(action))

    def _representatives(self, clause: _Clause, action: str) -> list[str]:
        """An action of each class that all statements treat alike, of those that an entry of Action covers."""
        pattern = _plain(action.lower())
        if not any(isinstance(token, Wild) for token in pattern):
            return [action.lower()]
        every = [*self._new.clauses, *self._old.clauses]
        sets = list(dict.fromkeys(each.actions for each in every))
        found: dict[tuple[bool, ...], str] = {}
        own = GlobSet([pattern])
        for known in _KNOWN:
            if own.matches(known) and clause.covers(known):
                found.setdefault((*(each.matches(known) for each in sets), *_arns(known)), known)
        for word in self._words(own, sets):
            if clause.covers(word):
                found.setdefault((*(each.matches(word) for each in sets), *_arns(word)), word)
        return list(found.values())

    def _words(self, own: GlobSet, sets: Sequence[GlobSet]) -> Iterator[str]:
        """A word of each class of actions; `SERVICE:NAME`."""
        machines: list[GlobSet] = [own, _SERVICE_AND_NAME, *sets]
        letters = frozenset().union(*(each.letters for each in machines)) | {":"}
        fresh = fresh_letter({*letters, *"*?"})
        start = tuple(each.start for each in machines)
        seen = {start}
        words = {start: ""}
        queue = [start]
        told: set[tuple[bool, ...]] = set()
        for states in queue:
            vector = tuple(each.accepts(s) for each, s in zip(machines, states, strict=True))
            if vector[0] and vector[1] and vector not in told:
                told.add(vector)
                yield words[states]
            only: set[str] = {fresh, ":"}
            for each, state in zip(machines, states, strict=True):
                only |= each.literals(state)
            for letter in sorted(only):
                self._budget.spend()
                after = tuple(each.step(s, letter) for each, s in zip(machines, states, strict=True))
                if after not in seen and after[0] and after[1]:
                    seen.add(after)
                    words[after] = words[states] + letter
                    queue.append(after)

    def _ask(self, some: _Clause, clause: _Clause, entry: str, action: str) -> NewAccess | NotProven | None:
        """A request by one entry of Action and of Resource that is new."""
        new = [each for each in self._new.clauses if each.covers(action)]
        old = [each for each in self._old.clauses if each.covers(action)]
        try:
            valuations = list(self._valuations(some, new, old))
        except _TooMany as error:
            return NotProven(str(error), self._principal.urn, clause.document, clause.statement)
        unproven: NotProven | None = None
        for wide in (False, True):
            for valuation in valuations:
                question = _Question(self, some, new, old, valuation, action, wide)
                for form in question.forms(self._shape):
                    word = shortest_word(*question.machines(form), self._budget)
                    if word is None:
                        continue
                    result = None if wide else self._shown(question, word, clause, entry, action)
                    if result is not None:
                        return result
                    what = (
                        "what a variable of it stands for, which is not known"
                        if wide
                        else "the digits of the identity's ID"
                    )
                    reason = f"it depends on {what}"
                    unproven = unproven or NotProven(reason, self._principal.urn, clause.document, clause.statement)
            if not self._opaque:
                break
        return unproven

    # --- conditions

    def _valuations(self, some: _Clause, new: Sequence[_Clause], old: Sequence[_Clause]) -> Iterator[Valuation]:
        """Which conditions hold: those that make new access likelier, and the others both ways."""
        likelier: set[_Atom] = set(some.atoms)
        unlikelier: set[_Atom] = set()
        for clauses, allows, denies in ((new, likelier, unlikelier), (old, unlikelier, likelier)):
            for clause in clauses:
                (denies if clause.kind == "deny" else allows).update(clause.atoms)
        related = {a for a in likelier | unlikelier for b in likelier | unlikelier if a != b and self._related(a, b)}
        free = sorted(((likelier & unlikelier) | related) - some.atoms)
        if len(free) > _MAX_COMBINATIONS // 4:
            raise _TooMany(f"it depends on {len(free)} conditions, which are too many to try")
        certain = some.atoms | (likelier - unlikelier - related)
        combinations = self._combinations(free, 0, frozenset(certain), set(some.atoms))
        for number, holding in enumerate(combinations):
            if number >= _MAX_COMBINATIONS:
                raise _TooMany(f"it depends on {len(free)} conditions, which are too many to try")
            yield holding

    def _combinations(
        self, free: Sequence[_Atom], index: int, holding: Valuation, decided: set[_Atom]
    ) -> Iterator[Valuation]:
        """The ways in which the conditions from an index on can turn out, given those that are decided."""
        self._budget.spend()
        if index == len(free):
            yield holding
            return
        atom = free[index]
        for following in (holding | {atom}, holding - {atom}):
            if all(self._possible(atom, other, following) for other in decided):
                yield from self._combinations(free, index + 1, following, decided | {atom})

    def _related(self, one: _Atom, other: _Atom) -> bool:
        return (
            self._implies(one, other)
            or self._implies(other, one)
            or self._opposite(one, other)
            or self._exclusive(one, other)
        )

    def _possible(self, one: _Atom, other: _Atom, holding: Valuation) -> bool:
        """Whether two conditions can be as they are taken to be."""
        if self._opposite(one, other):
            return (one in holding) is not (other in holding)
        if one in holding and other in holding and self._exclusive(one, other):
            return False
        for first, second in ((one, other), (other, one)):
            if first in holding and second not in holding and self._implies(first, second):
                return False
        return True

    def _opposite(self, one: _Atom, other: _Atom) -> bool:
        """Whether one condition is the negation of the other."""
        if (one.key, one.values, one.expands) != (other.key, other.values, other.expands) or ":" in one.label:
            return False
        if any("${" in value for value in one.values):
            return False  # without a value for the variable, neither may hold
        negation = {"StringEquals": "StringNotEquals", "StringLike": "StringNotLike", "ArnLike": "ArnNotLike"}
        negation |= {"ArnEquals": "ArnNotEquals", "IpAddress": "NotIpAddress"}
        return negation.get(one.label) == other.label or negation.get(other.label) == one.label

    @staticmethod
    def _exclusive(one: _Atom, other: _Atom) -> bool:
        """Whether two conditions cannot both hold: they ask different values of one key."""
        return (
            one.key == other.key
            and one.label == other.label
            and one.label in ("Bool", "StringEquals")
            and not _MULTIVALUED.search(one.key)
            and not any("${" in value for value in (*one.values, *other.values))
            and not {value.lower() for value in one.values} & {value.lower() for value in other.values}
        )

    def _implies(self, one: _Atom, other: _Atom) -> bool:
        """Whether one condition holds only where the other does: it takes fewer values of the same key."""
        if one.key != other.key or "IfExists" in one.label or "Not" in one.label or "Not" in other.label:
            return False
        qualifiers = [label.rpartition(":")[0] for label in (one.label, other.label)]
        operators = [label.rpartition(":")[2].removesuffix("IfExists") for label in (one.label, other.label)]
        if qualifiers[0] != qualifiers[1] or not all(each in _TEXTUAL for each in operators):
            return False
        if operators[1] == "StringEquals" and operators[0] != "StringEquals":
            return False
        if operators[1].startswith("Arn"):
            # Which compares part by part: what is the same as text may be no ARN.
            alike = operators[0].startswith("Arn") or not any(c in value for value in one.values for c in "*?$")
            return alike and one.expands == other.expands and set(one.values) <= set(other.values)
        return all(any(self._within(v, one, w, other, operators) for w in other.values) for v in one.values)

    def _within(self, value: str, one: _Atom, wider: str, other: _Atom, operators: Sequence[str]) -> bool:
        if value == wider and one.expands == other.expands:
            return True
        patterns = [
            template(text, atom.expands, operator in LIKE_OPERATORS)
            for text, atom, operator in ((value, one, operators[0]), (wider, other, operators[1]))
        ]
        # A variable is a letter of its own, which stands for one value in both.
        narrow, wide = (
            tuple(part if not isinstance(part, Variable) else self._letter(part.key, part.default) for part in parts)
            for parts in patterns
        )
        return covers(wide, narrow, self._budget)

    # --- the request

    def _shown(self, question: _Question, word: str, clause: _Clause, entry: str, action: str) -> NewAccess | None:
        """The request behind a word for some identity; None where none of those that are tried shows it."""
        for identity in self._identities:
            shortest = word.replace(self._identity, identity)
            resource, separator, prefix = shortest.partition(_PREFIX)
            # A folder without a name looks like a mistake in typing.
            texts = dict.fromkeys((f"{resource.replace('//', '/x/')}{separator}{prefix}", shortest))
            text = next((each for each in texts if question.is_new(each, identity)), None)
            if text is None:
                continue
            resource, separator, prefix = text.partition(_PREFIX)
            for (key, _), letter in self._opaque.items():
                shown = key if "${" in key else f"${{{key}}}"
                resource, prefix = resource.replace(letter, shown), prefix.replace(letter, shown)
            return NewAccess(
                identity,
                _KNOWN.get(action, entry),
                resource,
                prefix if separator else None,
                clause.document,
                clause.statement,
                tuple(dict(clause.conditions).values()),
                self._caller.anonymous,
            )
        return None

    @cached_property
    def _identities(self) -> list[str]:
        """Identities to try: of any digits, and those that the documents name, or of which they name a part."""
        digit = self._shape.digits[1 % len(self._shape.digits)]
        generic = self._identity.replace(self._loose.letters[0], digit)
        found = [generic]
        for value in self._scope_values():
            found += NAMED.findall(value)
            for part in re.findall(rf"{re.escape(self._shape.region)}:[0-9a-f-]*", value):
                found.append(part + generic[len(part) :])
        return [identity for identity in dict.fromkeys(found) if NAMED.fullmatch(identity)][:_MAX_IDENTITIES]

    def allows_identity(self, identity: str, clauses: Iterable[_Clause], holding: Valuation) -> bool:
        """Whether an identity's ID agrees with which conditions are taken to hold."""

        def lookup(key: str) -> Values:
            return (identity,) if key == self._caller.sub else Missing.UNKNOWN

        return all(
            holds(condition, lookup, atom.expands) in (Truth.MAYBE, Truth.of(atom in holding))
            for clause in clauses
            for atom, condition in clause.conditions
            if atom.key == self._caller.sub
        )

    def _scope_values(self) -> Iterator[str]:
        for clause in (*self._new.clauses, *self._old.clauses):
            yield from clause.statement.resources
            for condition in clause.statement.conditions:
                yield from condition.values

    def concrete(self, pattern: Pattern, identity: str) -> Pattern:
        """A pattern for an identity whose digits are known."""
        text = list(pattern)
        loose = list(self._identity)
        found: list[str | Wild | Text] = []
        index = 0
        while index < len(text):
            if text[index : index + len(loose)] == loose:
                found.extend(identity)
                index += len(loose)
            else:
                found.append(text[index])
                index += 1
        return tuple(found)

    @property
    def loose(self) -> Loose:
        return self._loose

    @property
    def identity(self) -> str:
        """The ID whose digits are not known."""
        return self._identity

    @property
    def partition(self) -> str:
        return self._shape.partition


class _TooMany(Exception):
    """More conditions than are tried."""


_REGION_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_MULTIVALUED = re.compile(
    r":(amr|tagkeys|requestobjecttagkeys|leadingkeys|attributes|principalorgpaths|sourceorgpaths|resourceorgpaths|calledvia"
    r"|principalservicenameslist)$",
    re.IGNORECASE,
)
"""Condition keys that may have several values."""
_TEXTUAL = frozenset({"StringEquals", "StringLike", "ArnEquals", "ArnLike"})
_SERVICE_AND_NAME = GlobSet([(Wild.ONE, Wild.ANY, ":", Wild.ONE, Wild.ANY)])


def _through_points(clause: _Clause) -> bool:
    """Whether a statement may be about an access point, by its ARN or its alias."""
    texts = clause.statement.resources
    return clause.statement.not_resource or any(
        not re.match(r"arn:[a-z-]+:s3:::[^*?$/]+(/|$)", text) or "-s3alias" in text for text in texts
    )


def _alike_but_for_entries(one: _Clause, other: _Clause) -> bool:
    """Whether two statements differ in their entries of Action and Resource only."""

    def rest(clause: _Clause) -> tuple[object, ...]:
        conditions = frozenset(c for c in clause.statement.conditions if c.key == PREFIX_KEY)
        return clause.limited, clause.bucket, clause.atoms, clause.statement.expands, conditions

    return rest(one) == rest(other)


Holds: TypeAlias = Callable[[Sequence[bool]], bool]


class _Question:
    """Whether a request is allowed by one statement, and by nothing of the old version, where some conditions hold."""

    def __init__(
        self,
        comparison: _Comparison,
        some: _Clause,
        new: Sequence[_Clause],
        old: Sequence[_Clause],
        valuation: Valuation,
        action: str,
        wide: bool,
    ) -> None:
        def holding(clauses: Sequence[_Clause], kind: str) -> list[_Clause]:
            return [clause for clause in clauses if clause.kind == kind and clause.atoms <= valuation]

        self._comparison = comparison
        self._clauses = [some, *new, *old]
        self._valuation = valuation
        self._action = action
        self._listing = action in _LISTS
        self._wide = wide
        self._some = some
        self._new_denies = holding(new, "deny")
        self._new_boundary = holding(new, "boundary") if comparison._new.bounded and some.limited else None
        self._old_allows = holding(old, "allow")
        self._old_denies = holding(old, "deny")
        self._old_boundary = holding(old, "boundary") if comparison._old.bounded else None

    def forms(self, shape: Shape) -> list[Machine[object]]:
        """The ARNs that the action takes; first those of which an example is easy to read."""
        any_: Machine[object] = GlobSet([("*",), (*literal("arn:"), Wild.ANY)])  # type: ignore[assignment]
        # The ARN of an access point has a region, or an account.
        points: Machine[object] = GlobSet(  # type: ignore[assignment]
            [(*literal(f"arn:{shape.partition}:{head}"), _REGION_LETTERS, Wild.ANY) for head in ("s3:", "s3::")]
        )
        if self._action in _OBJECTS:
            return [AllObjects(shape), points]  # type: ignore[list-item]
        if self._listing or self._action in _OF_BUCKETS:
            return [_Buckets(shape.partition), points]  # type: ignore[list-item]
        return [any_]

    def machines(
        self, form: Machine[object]
    ) -> tuple[list[Machine[object]], Callable[[Sequence[bool]], bool], list[bool]]:
        """What `shortest_word` takes."""
        machines: list[Machine[object]] = []

        def union(clauses: Sequence[_Clause], larger: bool) -> Holds:
            tests = [self._compiled(clause, larger, machines) for clause in clauses]
            return lambda vector: any(test(vector) for test in tests)

        # The statement itself comes first: its dead states end the walk.
        granted = self._compiled(self._some, True, machines)
        required = [self._some.statement.not_resource is False] + [False] * (len(machines) - 1)
        machines.append(_Part(form, 0) if self._listing else form)  # type: ignore[arg-type]
        required.append(True)
        shaped = len(machines) - 1
        machines.append(_WholeIds(self._comparison.identity, self._comparison.loose.letters[0]))  # type: ignore[arg-type]
        required.append(True)
        new_denied = union(self._new_denies, False)
        new_inside = None if self._new_boundary is None else union(self._new_boundary, True)
        limited = union([c for c in self._old_allows if c.limited], False)
        unlimited = union([c for c in self._old_allows if not c.limited], False)
        old_denied = union(self._old_denies, True)
        old_inside = None if self._old_boundary is None else union(self._old_boundary, False)
        required += [False] * (len(machines) - len(required))

        def accept(vector: Sequence[bool]) -> bool:
            if not vector[shaped] or not vector[shaped + 1] or not granted(vector) or new_denied(vector):
                return False
            if new_inside is not None and not new_inside(vector):
                return False
            allowed = unlimited(vector) or (limited(vector) and (old_inside is None or old_inside(vector)))
            return not allowed or old_denied(vector)

        return machines, accept, required

    def _compiled(self, clause: _Clause, larger: bool, machines: list[Machine[object]]) -> Holds:
        """A statement as machines, and whether it applies by what they accept; to more requests if `larger`, else fewer."""
        comparison = self._comparison
        negated = clause.statement.not_resource
        digits = comparison.loose

        def add(patterns: Iterable[Pattern], loosely: bool, part: int, fold: bool = False) -> int:
            machine = GlobSet(patterns, fold=fold, loose=digits if loosely else None)
            machines.append(_Part(machine, part) if self._listing else machine)  # type: ignore[arg-type]
            return len(machines) - 1

        # What is taken away is read the other way round.
        wider = larger is not negated
        resource = add(comparison.patterns(clause, self._wide and wider), wider, 0)
        within = -1
        if negated and clause.bucket is not None:
            within = add(of_bucket(clause.bucket, comparison.partition), False, 0)
        tests: list[tuple[_PrefixTest, int]] = []
        has = some = -1
        for test in comparison.prefix_tests(clause, larger, self._wide):
            if not self._listing:
                if not test.absent:
                    return lambda vector: False
                continue
            if has < 0:
                machines.append(_Prefixed(False))  # type: ignore[arg-type]
                machines.append(_Prefixed(True))  # type: ignore[arg-type]
                has, some = len(machines) - 2, len(machines) - 1
            at = -1 if test.patterns is None else add(test.patterns, larger is not test.negated, 1, test.fold)
            tests.append((test, at))

        def holds_for(vector: Sequence[bool]) -> bool:
            if vector[resource] is negated or (within >= 0 and not vector[within]):
                return False
            for test, at in tests:
                if not vector[has]:
                    met = test.absent
                elif not vector[some] and test.empty:
                    met = True
                else:
                    met = test.constant if at < 0 else vector[at] is not test.negated
                if not met:
                    return False
            return True

        return holds_for

    def is_new(self, word: str, identity: str) -> bool:
        """The same decided again for one identity, without automata."""
        resource, separator, prefix = word.partition(_PREFIX)
        named = prefix if separator else None

        def applies(clause: _Clause, larger: bool) -> bool:
            comparison = self._comparison
            patterns = [comparison.concrete(p, identity) for p in comparison.patterns(clause, False)]
            if any(matches(p, resource) for p in patterns) is clause.statement.not_resource:
                return False
            if clause.statement.not_resource and clause.bucket is not None:
                inside = of_bucket(clause.bucket, comparison.partition)
                if not any(matches(pattern, resource) for pattern in inside):
                    return False
            for test in comparison.prefix_tests(clause, larger, False):
                if named is None or not self._listing:
                    met = test.absent
                elif not named and test.empty:
                    met = True
                elif test.patterns is None:
                    met = test.constant
                else:
                    text = named.lower() if test.fold else named
                    options = [comparison.concrete(p, identity) for p in test.patterns]
                    if test.fold:
                        options = [tuple(t.lower() if isinstance(t, str) else t for t in p) for p in options]
                    met = any(matches(p, text) for p in options) is not test.negated
                if not met:
                    return False
            return True

        def some(clauses: Sequence[_Clause], larger: bool) -> bool:
            return any(applies(clause, larger) for clause in clauses)

        if not self._comparison.allows_identity(identity, self._clauses, self._valuation):
            return False
        if not applies(self._some, True) or some(self._new_denies, False):
            return False
        if self._new_boundary is not None and not some(self._new_boundary, True):
            return False
        inside = self._old_boundary is None or some(self._old_boundary, False)
        allowed = some([clause for clause in self._old_allows if inside or not clause.limited], False)
        return not allowed or some(self._old_denies, True)


class _Part:
    """A machine that reads one part of a request: the ARN, or the prefix after it."""

    def __init__(self, machine: Machine[object], part: int) -> None:
        self._machine = machine
        self._part = part
        self.start: tuple[int, object] = (0, machine.start)
        self.weight = machine.weight

    @property
    def letters(self) -> frozenset[str]:
        return self._machine.letters | {_PREFIX}

    def step(self, state: tuple[int, object], letter: str) -> tuple[int, object]:
        part, inner = state
        if letter == _PREFIX:
            return part + 1, inner
        return (part, self._machine.step(inner, letter)) if part == self._part else state

    def accepts(self, state: tuple[int, object]) -> bool:
        return state[0] < 2 and self._machine.accepts(state[1])

    def dead(self, state: tuple[int, object]) -> bool:
        part, inner = state
        if part > 1:
            return True
        return self._machine.dead(inner) or (part > self._part and not self._machine.accepts(inner))

    def viable(self, state: tuple[int, object]) -> frozenset[str] | None:
        part, inner = state
        if part != self._part:
            return None
        viable = self._machine.viable(inner)
        return None if viable is None else viable | {_PREFIX}


class _WholeIds:
    """Texts in which the letter for a digit that is not known stands in whole IDs only, where variables stand for them."""

    weight = 1
    start = 0

    def __init__(self, identity: str, digit: str) -> None:
        self._identity = identity
        self._digit = digit
        self._first = identity.index(digit)
        self.letters = frozenset(identity)

    def step(self, state: int, letter: str) -> int:
        """States: how much of an ID has been read; -1 is dead."""
        if state < 0:
            return -1
        state %= len(self._identity)
        if letter == self._identity[state]:
            return state + 1
        if state > self._first or letter == self._digit:
            return -1
        # What has been read may end with the beginning of another ID.
        read = self._identity[:state] + letter
        return next(n for n in range(state, -1, -1) if read.endswith(self._identity[:n]))

    def accepts(self, state: int) -> bool:
        return 0 <= state <= self._first or state == len(self._identity)

    def dead(self, state: int) -> bool:
        return state < 0

    def viable(self, state: int) -> frozenset[str] | None:
        return frozenset(self._identity[state]) if self._first < state < len(self._identity) else None


class _Prefixed:
    """Whether a request has a prefix, or one that is not empty."""

    letters = frozenset({_PREFIX})
    weight = 1
    start = 0

    def __init__(self, some: bool) -> None:
        self._least = 2 if some else 1

    def step(self, state: int, letter: str) -> int:
        return max(state, 1) if letter == _PREFIX else min(2, state + (state == 1))

    def accepts(self, state: int) -> bool:
        return state >= self._least

    def dead(self, state: int) -> bool:
        return False

    def viable(self, state: int) -> frozenset[str] | None:
        return None


class _Buckets:
    """ARNs of buckets, and of nothing in them."""

    weight = 1
    start = 0

    def __init__(self, partition: str) -> None:
        self._head = f"arn:{partition}:s3:::"
        self.letters = frozenset(self._head) | {"/"}

    def step(self, state: int, letter: str) -> int:
        if state < 0 or letter == "/":
            return -1
        if state < len(self._head):
            return state + 1 if letter == self._head[state] else -1
        return min(state + 1, len(self._head) + 3)

    def accepts(self, state: int) -> bool:
        return state == len(self._head) + 3

    def dead(self, state: int) -> bool:
        return state < 0

    def viable(self, state: int) -> frozenset[str] | None:
        return frozenset(self._head[state]) if 0 <= state < len(self._head) else None
