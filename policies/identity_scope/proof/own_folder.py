"""INVARIANT (own folder): everything that an identity reaches lies in one folder, `BUCKET/PREFIX` + its ID + `/`.

A key's folder ends where the ID and a `/` first stand in it; any other folder of the identity's that holds the key lies
within that one. So an identity has one folder exactly if all its keys have one, and it is the same: a key with a folder is
found, then one outside that folder, by the same identity. The claim is about every identity: where the first key needs
something of the ID, the identities that it does not speak of are asked about again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from ..automata.globs import Pattern, Wild, literal, matches
from ..automata.symbolic import Part, Word
from ..automata.unknowns import NOTHING, StoreId
from ..automata.walk import Budget, BudgetExceeded
from ..iam.claims import TAG_KEY, Language, Session, Tag
from ..iam.issuers import Shape
from ..iam.variables import Free
from ..inventory.principal import Principal
from .questions import Grant, Reader, Symbolic, objects, track
from .reach import Reach, list_reach, object_reach, shared_patterns
from .replay import readable, replayed
from .results import Access, NotProven, OutsideFolder
from .scope import Scope
from .sessions import slots, tags_of
from .tag_values import Values, for_one, liked, open_texts

_AT_ONCE = 16
"""How many patterns of a statement are asked about together."""
_TRIES = 6
"""How many values of texts are tried for an example."""
_ROUNDS = 16
"""How many kinds of identities are told apart before the question is left undecided."""
_TOO_MANY = "some identities have a folder of another kind than others, and these are too many kinds"


def own_folder(scope: Scope) -> list[OutsideFolder | NotProven]:
    """For each role an object outside the one folder; nothing if everything lies in it."""
    budget = Budget(scope.steps)
    found: list[OutsideFolder | NotProven] = []
    try:
        for shape in scope.shapes():
            if shape.issuer is None:
                return [NotProven(f"the identity issuer of {shape.region} is not known", region=shape.region)]
            for people in _people(scope):
                found.extend(_of(scope, shape, budget, people))
            if found:
                break
    except BudgetExceeded as error:
        found.append(NotProven(str(error)))
    return list({result.cause: result for result in found}.values())


def _people(scope: Scope) -> Iterator[_People]:
    """The roles of one identity's sessions, for each kind of sessions: its tags are the same whatever role it gets.

    A role whose documents speak of no tag is one of every kind of the logins that can get it.
    """
    kinds: dict[Session | None, list[Principal]] = {}
    untold: list[Principal] = []
    for principal in scope.requesters:
        session = principal.session
        if session is not None:
            tags = tuple(tag for tag in session.tags if tag.claim is not None)
            session = replace(session, tags=tags, providers=frozenset())
            if not tags and not tags_of(principal.statements):
                untold.append(principal)
        kinds.setdefault(session, []).append(principal)
    unknown = kinds.pop(None, []) if len(kinds) > 1 else []
    for kind, principals in kinds.items():
        also = [
            each for each in untold if kind is not None and each.session and kind.provider in each.session.providers
        ]
        yield _People(kind, (*principals, *also, *unknown))


class _People(NamedTuple):
    """A kind of sessions, and the roles that they are of; None: of sessions whose tags are not known."""

    session: Session | None
    principals: tuple[Principal, ...]


def _of(scope: Scope, shape: Shape, budget: Budget, people: _People) -> list[OutsideFolder | NotProven]:
    """What lies in no folder that ends with the ID, nor in one that ends with a tag of one person, or of one tenant."""
    whole = _Folder(scope, shape, budget, people)
    if whole.settled():
        return []
    names = [tag for tag in people.session.tags if _is_name(tag, scope)] if people.session is not None else []
    if not names and not open_texts(people.session):
        return list(whole.results())
    if any(whole.settled_by(tag) for tag in names):
        return []
    found = _outside_all(whole, [tag for tag in names if not _is_open_text(tag)])
    if not found or not open_texts(people.session):
        return found
    # Texts were read as any string, wherever they stand: is it so with values for them?
    for values in islice(
        for_one(people.session, {}, liked([s for p in people.principals for s in p.statements])),
        _TRIES,
    ):
        some = _outside_all(_Folder(scope, shape, budget, people, values), names)
        if some and all(isinstance(result, OutsideFolder) for result in some):
            return some
    return [
        NotProven("for some values of principal tags, one folder that holds everything was not found", found[0].role)
    ]


def _outside_all(folder: _Folder, names: Sequence[Tag]) -> list[OutsideFolder | NotProven]:
    """What lies outside the folders that end with the ID, and outside those that end with each of some tags."""
    if folder.allowed:
        return list(folder.outside_allowed((*names, None)))
    found: list[OutsideFolder | NotProven] = []
    for name in (*names, None):
        results = list(folder.named_by(name).results())
        if not results:
            return []
        if not found or not all(isinstance(result, OutsideFolder) and result.folder for result in found):
            found = results
    return found


def _is_name(tag: Tag, scope: Scope) -> bool:
    """Whether a tag's value can end the name of a folder: that of one person, or of one tenant."""
    if tag.claim is None:
        return False
    return tag.claim.identifying or (tag.key in scope.declared_tenants and not tag.claim.changeable)


def _is_open_text(tag: Tag) -> bool:
    return tag.value is None and tag.claim is not None and tag.claim.language is Language.TEXT


def _lies_in(grant: Grant, heads: Collection[Pattern]) -> bool:
    """Whether everything that a grant reaches begins with one of some beginnings of patterns."""
    return any(
        all(any(pattern[: len(head)] == head for head in heads) for pattern in track.patterns) for track in grant.tracks
    )


class _Folder:
    """One identity of a shape, and the folder of its keys."""

    def __init__(
        self, scope: Scope, shape: Shape, budget: Budget, people: _People, values: Values | None = None, name: str = ""
    ) -> None:
        """Args:
        values: of tags that the session leaves open.
        name: the key of the tag that the folder ends with; empty: it ends with the ID.
        """
        self._scope = scope
        self._shape = shape
        self._budget = budget
        self._people = people
        self._values = values or {}
        self._name = name
        self._strangers = scope.strangers(shape)
        self._caller = scope.stranger(self._strangers, 0, self._values)
        self._head = f"arn:{shape.partition}:s3:::"

    def named_by(self, tag: Tag | None) -> _Folder:
        """The same, where the folder ends with a tag."""
        some = _Folder(self._scope, self._shape, self._budget, self._people, self._values, tag.key if tag else "")
        some.__dict__.update({key: self.__dict__[key] for key in ("_symbolic", "_every_grant") if key in self.__dict__})
        return some

    @cached_property
    def _symbolic(self) -> Symbolic:
        return Symbolic(self._strangers, self._budget)

    @cached_property
    def _every_grant(self) -> list[Grant]:
        reader = Reader(self._symbolic, self._caller, 0)
        return [
            grant
            for principal in self._people.principals
            for grant in (
                *reader.objects(principal, self._scope.shared),
                *reader.listings(principal, self._scope.shared),
            )
        ]

    @cached_property
    def _own(self) -> str:
        """The name with which the folder ends, in letters for digits that are not known."""
        if not self._name:
            return self._strangers.exact[0]
        session = self._people.session
        tag = session.tag(self._name) if session is not None else None
        assert tag is not None
        value = self._caller.tags.value(tag, slots(session).get(tag.key, tag.key), self._shape)
        assert isinstance(value, tuple)
        return value[0]

    def _own_of(self, digits: Sequence[int]) -> str:
        return self._strangers.written(self._own, tuple(digits))

    def settled_by(self, tag: Tag) -> bool:
        """Whether everything begins with one folder's name that ends with a tag, wherever it is written so."""
        session = self._people.session
        value = self._caller.tags.value(tag, slots(session).get(tag.key, tag.key), self._shape)
        name = value.pattern if isinstance(value, Free) else literal(value[0])
        folders = self._scope.folders
        heads = {(*literal(f"{self._head}{folder}"), *name, "/") for folder in folders}
        if not folders and not all(self._scope.asks_about(grant.principal) for grant in self._every_grant):
            return False
        grants = [grant for grant in self._every_grant if self._scope.asks_about(grant.principal)]
        if not folders and grants:
            heads = {self._folder_in(pattern, name) for track in grants[0].tracks for pattern in track.patterns} - {()}
            heads = {head for head in heads if all(_lies_in(grant, [head]) for grant in grants)}
        return all(_lies_in(grant, heads) for grant in grants)

    def _folder_in(self, pattern: Sequence[Part], name: Pattern) -> Pattern:
        """A pattern's beginning up to where a name and a `/` first stand in its key, if that is literal; else empty."""
        key = False
        for at, part in enumerate(pattern):
            if key and (*pattern[at : at + len(name)], *pattern[at + len(name) : at + len(name) + 1]) == (*name, "/"):
                return (*literal("".join(p for p in pattern[:at] if isinstance(p, str))), *name, "/")
            if not isinstance(part, str) or len(part) != 1:
                return ()
            key = key or (part == "/" and at > len(self._head))
        return ()

    @property
    def allowed(self) -> tuple[str, ...]:
        """The only folders that are allowed, if these are declared."""
        return self._scope.folders

    def outside_allowed(self, names: Sequence[Tag | None]) -> Iterator[OutsideFolder | NotProven]:
        """What lies in none of the allowed folders, with whichever of some names at their ends."""
        self._grants = [grant for grant in self._every_grant if self._scope.asks_about(grant.principal)]
        owns = [self.named_by(name)._own for name in names]
        allowed = [(*literal(f"{self._head}{f}{own}/"), Wild.ANY) for f in self.allowed for own in owns]
        yield from self._outside(allowed, self.allowed[0])

    def results(self) -> Iterator[OutsideFolder | NotProven]:
        self._grants = list(self._every_grant)
        others = [grant for grant in self._grants if not self._scope.asks_about(grant.principal)]
        self._grants = [grant for grant in self._grants if self._scope.asks_about(grant.principal)]
        if self.allowed:
            yield from self.outside_allowed([None])
            return
        apart = list(self._scattered(NOTHING, (), 0))
        yield from apart
        if others and not apart:
            yield from self._elsewhere(others)

    def _elsewhere(self, others: Sequence[Grant]) -> Iterator[OutsideFolder | NotProven]:
        """Keys of the roles that are asked about, which lie in one folder, where the grants of `others` give the identity
        another folder.

        What others reach in no folder at all is not for the roles that are asked about to answer for.
        """
        stores = self._symbolic.stores
        kinds: list[tuple[StoreId, tuple[StoreId, ...]]] = [(NOTHING, ())]
        for _ in range(_ROUNDS):
            if not kinds:
                return
            store, excluded = kinds.pop()
            key = self._inside(store, excluded, self._budget)
            if key is None:
                continue
            word = key[1]
            # The identities that have this key: does one of them have another folder?
            without = (*excluded, *word.nogoods)
            first = self._first_outside(others, self._folder_of(word), word.store, without, self._in_some_folder)
            if first is not None:
                results = list(self._in_another(first))
                if results:
                    yield from results
                    return
                kinds.append((store, (*excluded, self._only(first.digits))))
                continue
            kinds += [(store, (*excluded, word.store))] if word.store != store else []
            rest = [n for n in word.nogoods if n not in excluded]
            kinds += [(both, excluded) for n in rest if (both := stores.join(word.store, n)) is not None]
        if kinds:
            yield NotProven(_TOO_MANY)

    def _scattered(
        self, store: StoreId, excluded: tuple[StoreId, ...], depth: int, like: StoreId = NOTHING
    ) -> Iterator[OutsideFolder | NotProven]:
        """Keys in no one folder, of the identities that a store speaks of, without those that others do.

        The folder is that of a key of some identity that `like` speaks of.
        """
        try:
            some = like if like != NOTHING else store
            key = self._inside(some, excluded, self._budget.part(self._budget.left // 4))
        except BudgetExceeded:
            if self._budget.left <= 0:
                raise
            yield from self._homeless(store, excluded)
            return
        if key is None:
            yield from self._outside((), "", store, excluded)
            return
        grant, word = key
        folder = self._folder_of(word)
        for _ in range(_ROUNDS):
            first = self._first_outside(self._grants, folder, store, excluded)
            if first is None:
                return
            digits = first.digits
            if self._folder_beside(grant, word, first) is not None:
                outside = [(*folder, Wild.ANY)]
                yield from self._outside(outside, "", store, excluded, (grant, word), self._only(digits))
                return
            # This identity does not have the first key: is everything that it and its like have in a folder of theirs?
            only = self._only(digits)
            stores = self._symbolic.stores
            alike = first.store if depth < 2 else only
            beside = [n for n in first.nogoods if n not in excluded and stores.join(alike, n) not in (None, alike)]
            parts = [(alike, (*excluded, *beside), only)]
            parts += [(both, excluded, both) for n in beside if (both := stores.join(alike, n)) is not None]
            for part, without, some in parts:
                results = list(self._scattered(part, without, depth + 1, some))
                if results:
                    yield from results
                    return
            excluded = (*excluded, alike)
        yield NotProven(_TOO_MANY)

    def _homeless(self, store: StoreId, excluded: Sequence[StoreId]) -> Iterator[OutsideFolder | NotProven]:
        """Keys that lie in no folder of the identity's, where it is too much to ask for one that does."""
        for result in self._outside((), "", store, excluded):
            if (
                isinstance(result, OutsideFolder)
                and f"{self._of_access(result.access)}/" in result.arn[len(self._head) :]
            ):
                yield NotProven("a folder that holds everything was not found", result.role)
            else:
                yield result

    def _of_access(self, access: Access) -> str:
        """The name with which the folder of a request's identity ends."""
        if not self._name:
            return access.identity
        return next(value for tag, value in access.tags if tag.lower() == self._name.removeprefix(TAG_KEY))

    @cached_property
    def _unknowns(self) -> list[int]:
        """The unknown digits of the ID, and of its tags."""
        return [u for key in ("", *self._strangers.uuids) for u in self._strangers.unknowns(0, key)]

    def _only(self, digits: Sequence[int]) -> StoreId:
        """That the ID, and its tags, are those with some digits."""
        return self._symbolic.stores.of([(index, 1 << digits[index]) for index in self._unknowns]) or NOTHING

    def _first_outside(
        self, grants: Sequence[Grant], folder: str, store: StoreId, excluded: Sequence[StoreId], *places: Sequence[Part]
    ) -> Word | None:
        for grant in grants:
            word = self._find(grant, store, excluded, *places, outside=[(*folder, Wild.ANY)])
            if word is not None:
                return word
        return None

    def _in_another(self, word: Word) -> Iterator[OutsideFolder | NotProven]:
        """What the identity of a word reaches outside the word's folder, by the roles that are asked about."""
        identity = self._own_of(word.digits)
        there = self._strangers.written(word.letters, word.digits)
        folder = there[: there.index(f"{identity}/", there.index("/", len(self._head))) + len(identity) + 1]
        yield from self._outside([(*literal(folder), Wild.ANY)], folder[len(self._head) :], self._only(word.digits))

    @cached_property
    def _in_some_folder(self) -> tuple[Part, ...]:
        return (*literal(self._head), Wild.ANY, "/", Wild.ANY, *literal(self._own), "/", Wild.ANY)

    def _folder_beside(self, grant: Grant, inside: Word, outside: Word) -> str | None:
        """The folder of the key inside, as the identity that has the key outside has it as well, and as no folder holds the
        two; None if that is not so. It is empty where no folder holds the key outside, whatever else the identity has."""
        identity = self._own_of(outside.digits)
        there = self._strangers.written(outside.letters, outside.digits)
        here = self._strangers.written(inside.letters, outside.digits)
        mark = here.find(f"{identity}/", here.index("/", len(self._head)))
        folder = here[: mark + len(identity) + 1] if mark >= 0 else ""
        shown = folder.removeprefix(self._head)
        if f"{identity}/" not in there[there.index("/", len(self._head)) :]:
            return shown if all(inside.digits[u] == outside.digits[u] for u in self._unknowns) else ""
        if not folder or there.startswith(folder):
            return None
        return None if self._find(grant, self._only(outside.digits), (), literal(here)) is None else shown

    def settled(self) -> bool:
        """Whether everything begins with one folder's name, which settles what most roles are granted."""
        identity = self._strangers.loose[0]
        caller = replace(self._scope.caller(identity, self._shape), loose=self._strangers.loosened)
        reaches: list[Reach] = []
        for principal in self._people.principals:
            reaches += object_reach(principal, caller, self._scope.shared)
            reaches += list_reach(principal, caller, self._scope.shared)
        beginnings = [prefix for reach in reaches for prefix in reach.prefixes]
        if not beginnings:
            return True
        if self._scope.folders:
            folders = tuple(f"{self._head}{folder}{identity}/" for folder in self._scope.folders)
            return all(beginning.startswith(folders) for beginning in beginnings)
        key = beginnings[0].find("/", len(self._head))
        mark = beginnings[0].find(f"{identity}/", key + 1) if key > len(self._head) else -1
        folder = beginnings[0][: mark + len(identity) + 1]
        return mark > 0 and all(beginning.startswith(folder) for beginning in beginnings)

    def _find(
        self,
        grant: Grant,
        store: StoreId,
        nogoods: Sequence[StoreId],
        *more: Sequence[Part],
        outside: Sequence[Sequence[Part]] = (),
        budget: Budget | None = None,
    ) -> Word | None:
        """A key that a grant reaches; the shortest of a few patterns at a time, since any shows what is asked."""
        tracks = [objects(self._shape), *(track(pattern) for pattern in more)]
        patterns = self._beyond(grant, outside)
        for at in range(0, len(patterns), _AT_ONCE):
            some = replace(grant.tracks[0], patterns=patterns[at : at + _AT_ONCE])
            part = replace(grant, tracks=(some, *grant.tracks[1:]))
            question = self._symbolic.alone(part, *tracks, forbidden=outside, store=store, nogoods=nogoods)
            word = self._symbolic.find(question, budget)
            if word is not None:
                return word
        return None

    def _beyond(self, grant: Grant, folders: Sequence[Sequence[Part]]) -> tuple[tuple[Part, ...], ...]:
        """A grant's patterns, without those that begin with the name of one of some folders: they match nothing else."""
        self._budget.spend(1 + len(grant.beginnings) // 8)
        names = tuple("".join(part for part in folder if isinstance(part, str)) for folder in folders)
        pairs = zip(grant.tracks[0].patterns, grant.beginnings, strict=True)
        return tuple(pattern for pattern, begins in pairs if not begins.startswith(names))

    def _inside(self, store: StoreId, excluded: Sequence[StoreId], budget: Budget) -> tuple[Grant, Word] | None:
        """A key that lies in a folder of the identity's."""
        for grant in self._grants:
            word = self._find(grant, store, excluded, self._in_some_folder, budget=budget)
            if word is not None:
                return grant, word
        return None

    def _folder_of(self, word: Word) -> str:
        """The word up to where the ID and a `/` first stand in its key, whatever its digits are; in letters for digits."""
        strangers, stores = self._strangers, self._symbolic.stores
        own = self._own

        def settled(letter: str) -> str | tuple[int, bool]:
            """A letter that the store settles; else the unknown digit, and whether its capital stands there."""
            capital = strangers.alphabet.of_capital(letter)
            unknown = strangers.alphabet.unknown(letter) if capital is None else capital
            if unknown is None:
                return letter
            possible = stores.possible(word.store, unknown)
            if possible & (possible - 1):
                return unknown, capital is not None
            digit = stores.digits[possible.bit_length() - 1]
            return digit if capital is None else digit.upper()

        def same(letter: str, wanted: str) -> bool:
            first, second = settled(letter), settled(wanted)
            if isinstance(first, str) or isinstance(second, str) or first[1] != second[1]:
                return first == second
            return stores.equate(word.store, first[0], second[0]) == word.store

        def stands(at: int) -> bool:
            end = at + len(own)
            return word.letters[end : end + 1] == "/" and all(map(same, word.letters[at:end], own))

        key = word.letters.index("/", len(self._head)) + 1
        mark = next(at for at in range(key, len(word.letters)) if stands(at))
        before = "".join(
            c if strangers.alphabet.of_capital(c) is None else strangers.written(c, word.digits)
            for c in word.letters[:mark]
        )
        return f"{before}{own}/"

    def _outside(
        self,
        folders: Sequence[Sequence[Part]],
        shown: str,
        store: StoreId = NOTHING,
        nogoods: Sequence[StoreId] = (),
        inside: tuple[Grant, Word] | None = None,
        only: StoreId = NOTHING,
    ) -> Iterator[OutsideFolder | NotProven]:
        """For each role a shortest key outside the folders, replayed.

        Where a key `inside` is given, the identity has that one as well; if a first one does not, `only` says who does.
        """
        told: set[str] = set()
        for grant in self._grants:
            urn = grant.principal.urn
            if urn in told:
                continue
            word = self._find(grant, store, nogoods, outside=folders)
            folder = None if word is None or inside is None else self._folder_beside(*inside, word)
            if word is not None and inside is not None and folder is None:
                word = self._find(grant, only, nogoods, outside=folders)
                folder = None if word is None else self._folder_beside(*inside, word)
            if word is None or (inside is not None and folder is None):
                continue
            told.add(urn)
            arn = self._strangers.written(word.letters, word.digits)
            access = self._replayed(word, grant, arn)
            if access is None:
                yield NotProven(f"no request that reaches `{arn}` could be confirmed", urn)
            else:
                folder = shown if folder is None else folder
                names = [self._strangers.written("".join(map(str, each[:-1])), word.digits) for each in folders]
                access, arn = self._readably(
                    access, word, grant, arn, (*names, *([f"{self._head}{folder}"] if folder else ()))
                )
                yield OutsideFolder(access, arn, folder)

    def _readably(
        self, access: Access, word: Word, grant: Grant, arn: str, folders: Sequence[str]
    ) -> tuple[Access, str]:
        """The request for an object whose key looks less like a mistake in typing, where that shows the same."""
        better = readable(arn)
        own = f"{self._own_of(word.digits)}/"
        if better == arn or better.startswith(tuple(folders)) or better.count(own) != arn.count(own):
            return access, arn
        tags = {**self._strangers.named_uuids(0, word.digits), **self._values}
        caller = self._scope.caller(access.identity, self._shape, tags).of(grant.principal)
        if any(matches(pattern, better) for pattern in shared_patterns(self._scope.shared, caller)):
            return access, arn
        try:
            other = self._replayed(word, grant, better)
        except BudgetExceeded:
            return access, arn
        if other is None or (other.cause, other.assumed, other.exact) != (access.cause, access.assumed, access.exact):
            return access, arn
        return other, better

    def _replayed(self, word: Word, grant: Grant, arn: str) -> Access | None:
        return replayed(
            self._scope,
            self._shape,
            self._strangers.named(word.digits)[0],
            grant.principal,
            grant.action,
            arn,
            self._budget,
            grant.listing,
            stop=dict(word.stops).get(0),
            tags={**self._strangers.named_uuids(0, word.digits), **self._values},
        )
