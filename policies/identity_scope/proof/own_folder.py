"""INVARIANT (own folder): everything that an identity reaches lies in one folder, `BUCKET/PREFIX` + its ID + `/`.

A key's folder ends where the ID and a `/` first stand in it; any other folder of the identity's that holds the key lies
within that one. So an identity has one folder exactly if all its keys have one, and it is the same: a key with a folder is
found, then one outside that folder, by the same identity. The claim is about every identity: where the first key needs
something of the ID, the identities that it does not speak of are asked about again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from ..automata.globs import Wild, literal
from ..automata.symbolic import Part, Word
from ..automata.unknowns import NOTHING, StoreId
from ..automata.walk import Budget, BudgetExceeded
from ..iam.issuers import Shape
from .questions import Grant, Reader, Symbolic, objects, track
from .reach import Reach, list_reach, object_reach
from .replay import replayed
from .results import Access, NotProven, OutsideFolder
from .scope import Scope

_AT_ONCE = 16
"""How many patterns of a statement are asked about together."""
_ROUNDS = 16
"""How many kinds of identities are told apart before the question is left undecided."""


def own_folder(scope: Scope) -> list[OutsideFolder | NotProven]:
    """For each role an object outside the one folder; nothing if everything lies in it."""
    budget = Budget(scope.steps)
    found: list[OutsideFolder | NotProven] = []
    try:
        for shape in scope.shapes():
            if shape.issuer is None:
                return [NotProven(f"the identity issuer of {shape.region} is not known")]
            found.extend(_Folder(scope, shape, budget).results())
            if found:
                break
    except BudgetExceeded as error:
        found.append(NotProven(str(error)))
    return found


class _Folder:
    """One identity of a shape, and the folder of its keys."""

    def __init__(self, scope: Scope, shape: Shape, budget: Budget) -> None:
        self._scope = scope
        self._shape = shape
        self._budget = budget
        self._strangers = scope.strangers(shape)
        self._head = f"arn:{shape.partition}:s3:::"

    def results(self) -> Iterator[OutsideFolder | NotProven]:
        if self._settled():
            return
        self._symbolic = Symbolic(self._strangers, self._budget)
        reader = Reader(self._symbolic, self._scope.caller(self._strangers.exact[0], self._shape), 0)
        self._grants = [
            grant
            for principal in self._scope.requesters
            for grant in (
                *reader.objects(principal, self._scope.shared),
                *reader.listings(principal, self._scope.shared),
            )
        ]
        others = [grant for grant in self._grants if not self._scope.asks_about(grant.principal)]
        self._grants = self._beside = [grant for grant in self._grants if self._scope.asks_about(grant.principal)]
        if self._scope.folders:
            identity = self._strangers.exact[0]
            allowed = [(*literal(f"{self._head}{f}{identity}/"), Wild.ANY) for f in self._scope.folders]
            yield from self._outside(allowed, self._scope.folders[0])
            return
        apart = list(self._scattered(NOTHING, (), 0))
        yield from apart
        if others and not apart:
            # What the roles that are asked about reach lies in one folder: is it that of what others reach?
            self._beside = others
            yield from self._scattered(NOTHING, (), 0)

    def _scattered(
        self, store: StoreId, excluded: tuple[StoreId, ...], depth: int, like: StoreId = NOTHING
    ) -> Iterator[OutsideFolder | NotProven]:
        """Keys in no one folder, of the identities that a store speaks of, without those that others do.

        The folder is that of a key of some identity that `like` speaks of; the keys outside it are those of `_beside`.
        """
        try:
            some = like if like != NOTHING else store
            key = self._inside(some, excluded, self._budget.part(self._budget.left // 4))
        except BudgetExceeded:
            if self._budget.left <= 0 or self._beside is not self._grants:
                raise
            yield from self._homeless(store, excluded)
            return
        if key is None:
            if self._beside is self._grants:
                yield from self._outside((), "", store, excluded)
            return
        grant, word = key
        folder = self._folder_of(word)
        for _ in range(_ROUNDS):
            first = self._first_outside(folder, store, excluded)
            if first is None:
                return
            digits = first.digits
            if self._folder_beside(grant, word, first) is not None:
                if self._beside is not self._grants:
                    yield from self._in_another(first)
                    return
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
        yield NotProven("some identities have a folder of another kind than others, and these are too many kinds")

    def _homeless(self, store: StoreId, excluded: Sequence[StoreId]) -> Iterator[OutsideFolder | NotProven]:
        """Keys that lie in no folder of the identity's, where it is too much to ask for one that does."""
        for result in self._outside((), "", store, excluded):
            if isinstance(result, OutsideFolder) and f"{result.access.identity}/" in result.arn[len(self._head) :]:
                yield NotProven("a folder that holds everything was not found", result.role)
            else:
                yield result

    def _only(self, digits: Sequence[int]) -> StoreId:
        """That the ID is one with some digits."""
        return self._symbolic.stores.of([(index, 1 << digits[index]) for index in range(self._shape.size)]) or NOTHING

    def _first_outside(self, folder: str, store: StoreId, excluded: Sequence[StoreId]) -> Word | None:
        # What others reach in no folder at all is not for the roles that are asked about to answer for.
        places = [] if self._beside is self._grants else [self._in_some_folder]
        for grant in self._beside:
            word = self._find(grant, store, excluded, *places, outside=[(*folder, Wild.ANY)])
            if word is not None:
                return word
        return None

    def _in_another(self, word: Word) -> Iterator[OutsideFolder | NotProven]:
        """What the identity of a word reaches outside the word's folder, by the roles that are asked about."""
        identity, _ = self._strangers.named(word.digits)
        there = self._strangers.written(word.letters, word.digits)
        folder = there[: there.index(f"{identity}/", there.index("/", len(self._head))) + len(identity) + 1]
        yield from self._outside([(*literal(folder), Wild.ANY)], folder[len(self._head) :], self._only(word.digits))

    @cached_property
    def _in_some_folder(self) -> tuple[Part, ...]:
        identity = literal(self._strangers.exact[0])
        return (*literal(self._head), Wild.ANY, "/", Wild.ANY, *identity, "/", Wild.ANY)

    def _folder_beside(self, grant: Grant, inside: Word, outside: Word) -> str | None:
        """The folder of the key inside, as the identity that has the key outside has it as well, and as no folder holds the
        two; None if that is not so. It is empty where no folder holds the key outside, whatever else the identity has."""
        identity, _ = self._strangers.named(outside.digits)
        there = self._strangers.written(outside.letters, outside.digits)
        here = self._strangers.written(inside.letters, outside.digits)
        mark = here.find(f"{identity}/", here.index("/", len(self._head)))
        folder = here[: mark + len(identity) + 1] if mark >= 0 else ""
        shown = folder.removeprefix(self._head)
        if f"{identity}/" not in there[there.index("/", len(self._head)) :]:
            return shown if identity == self._strangers.named(inside.digits)[0] else ""
        if not folder or there.startswith(folder):
            return None
        return None if self._find(grant, self._only(outside.digits), (), literal(here)) is None else shown

    def _settled(self) -> bool:
        """Whether everything begins with one folder's name, which settles what most roles are granted."""
        identity = self._strangers.loose[0]
        caller = replace(self._scope.caller(identity, self._shape), loose=self._strangers.loosened)
        reaches: list[Reach] = []
        for principal in self._scope.requesters:
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
        own = strangers.exact[0]

        def same(letter: str, wanted: str) -> bool:
            first, second = strangers.alphabet.unknown(letter), strangers.alphabet.unknown(wanted)
            if first is not None and second is not None:
                return stores.equate(word.store, first, second) == word.store
            unknown = first if first is not None else second
            if unknown is None:
                return letter == wanted
            known = wanted if first is not None else letter
            return known in stores.digits and stores.possible(word.store, unknown) == stores.mask(known)

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
            if word is None:
                continue
            told.add(urn)
            arn = self._strangers.written(word.letters, word.digits)
            access = self._replayed(self._strangers.named(word.digits)[0], grant, arn, dict(word.stops).get(0))
            if access is None:
                yield NotProven(f"no request that reaches `{arn}` could be confirmed", urn)
            else:
                yield OutsideFolder(access, arn, shown if folder is None else folder)

    def _replayed(self, identity: str, grant: Grant, arn: str, stop: int | None) -> Access | None:
        principal, action = grant.principal, grant.action
        return replayed(
            self._scope, self._shape, identity, principal, action, arn, self._budget, grant.listing, stop=stop
        )
