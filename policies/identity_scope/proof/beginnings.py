"""Which of many texts may be beginnings of one word, without a comparison of each with each.

A text is literal up to where the ID first stands in it, its *head*. Two heads of which neither is a prefix of the other
have different characters at one place, and so have their texts: no word begins with both. Heads that may meet are found
by their order; of these, what goes on to the end of the first ID is compared before the texts are.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

from ..automata.walk import Budget

_COMPARISONS_PER_STEP = 8


class _Texts:
    """Texts by head and by what goes on to the end of the first ID, each with the places where it stands."""

    def __init__(self, texts: Sequence[Sequence[str]], identity: str) -> None:
        self.by_head: dict[str, dict[str, dict[str, list[int]]]] = {}
        for place, some in enumerate(texts):
            for text in dict.fromkeys(some):
                at = text.find(identity)
                head, key = (text, text) if at < 0 else (text[:at], text[: at + len(identity)])
                self.by_head.setdefault(head, {}).setdefault(key, {}).setdefault(text, []).append(place)
        self._sorted = sorted(self.by_head)
        self._lengths = sorted(set(map(len, self.by_head)))

    def related(self, head: str) -> Iterator[str]:
        """The heads that begin with one, or that it begins with."""
        for length in self._lengths:
            if length >= len(head):
                break
            if head[:length] in self.by_head:
                yield head[:length]
        for at in range(bisect_left(self._sorted, head), len(self._sorted)):
            if not self._sorted[at].startswith(head):
                break
            yield self._sorted[at]

    @property
    def cost(self) -> int:
        """What finding the related heads costs, in comparisons."""
        return 1 + len(self._lengths) // 8


def meetings(
    ours: Sequence[Sequence[str]],
    theirs: Sequence[Sequence[str]],
    identities: tuple[str, str],
    apart: Callable[[str, str], bool],
    budget: Budget,
) -> list[tuple[int, int]]:
    """The places in `ours` and `theirs` of which some text of each may be beginnings of one word, in order.

    Args:
        identities: the IDs, as our texts and as their texts have them.
        apart: whether no word begins with both of two texts; true of what only begins like them only if it is of them.
        budget: what the comparisons are charged to.
    """
    mine, others = _Texts(ours, identities[0]), _Texts(theirs, identities[1])
    found: set[tuple[int, int]] = set()
    compared = 0

    def charge(comparisons: int) -> None:
        nonlocal compared
        steps, compared = divmod(compared + comparisons, _COMPARISONS_PER_STEP)
        budget.spend(steps)

    for head, keys in mine.by_head.items():
        charge(others.cost)
        for related in others.related(head):
            for key, texts in keys.items():
                for other, more in others.by_head[related].items():
                    charge(1)
                    if apart(key, other):
                        continue
                    for text, places in texts.items():
                        for their, their_places in more.items():
                            charge(1)
                            if (text, their) == (key, other) or not apart(text, their):
                                charge(len(places) * len(their_places))
                                found.update((i, j) for i in places for j in their_places)
    return sorted(found)
