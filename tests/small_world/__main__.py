"""The large search: `python -m tests.small_world --sets 100000`."""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import time
from collections import Counter
from functools import partial

from .compare import compare
from .planted import HOLES, planted
from .sets import FAR, DocumentSet, make
from .shrink import smaller

CHUNK = 50
"""Sets that a process takes at a time."""


def made(seed: int, number: int) -> DocumentSet:
    return make(random.Random(f"{seed} {number}"))


def run(seed: int, far: int, chunk: int) -> tuple[Counter[str], list[tuple[int, str]]]:
    """A chunk of sets: how often the proofs said what, and which set shows what is wrong."""
    said: Counter[str] = Counter()
    wrong: list[tuple[int, str]] = []
    for number in range(chunk * CHUNK, (chunk + 1) * CHUNK):
        found = compare(made(seed, number), far)
        said.update(found.said)
        wrong += [(number, defect) for defect in found.defects[:1]]
    return said, wrong


def described(seed: int, number: int, far: int) -> str:
    """A set that shows a defect, made small: what is wrong, and the set as it can be pasted into a test."""

    def defect(candidate: DocumentSet) -> str | None:
        return next(iter(compare(candidate, far).defects), None)

    small = smaller(made(seed, number), defect)
    return f"{defect(small)}\n  set {number} of seed {seed}: {small.shape}\n  {small.text}"


def plant(seed: int, far: int) -> int:
    """How soon the search finds each planted hole; 1 if one is not found within a minute."""
    missed = 0
    for name in HOLES:
        begin, number, defect = time.monotonic(), 0, None
        while defect is None and time.monotonic() - begin < 60:
            with planted(name):
                defect = next(iter(compare(made(seed, number), far).defects), None)
            if defect is not None and compare(made(seed, number), far).defects:
                defect = None  # not of the hole's making
            number += 1
        missed |= defect is None
        print(f"{name:<50} {number:>6,} sets, {time.monotonic() - begin:>4.1f} s: {defect or 'NOT FOUND'}", flush=True)
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.small_world", description=__doc__)
    parser.add_argument("--sets", type=int, default=20_000, help="how many sets (default: 20,000)")
    parser.add_argument("--seed", type=int, default=None, help="of the random sets (default: a new one)")
    parser.add_argument("--far", type=int, default=FAR, help=f"how far the keys go (default: {FAR})")
    parser.add_argument(
        "--shown", type=int, default=10, help="how many examples are made small and shown (default: 10)"
    )
    parser.add_argument("--processes", type=int, default=None, help="side by side (default: one a core)")
    parser.add_argument("--planted", action="store_true", help="plant holes in the proofs, and search for each")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.randrange(2**32)
    print(f"seed {seed}", flush=True)
    if options.planted:
        return plant(seed, options.far)
    said: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    done, begin = 0, time.monotonic()
    with multiprocessing.Pool(options.processes) as pool:
        for counts, wrong in pool.imap_unordered(partial(run, seed, options.far), range(-(-options.sets // CHUNK))):
            said += counts
            for number, defect in wrong:
                kind = defect.partition(":")[0]
                if kinds.total() < options.shown:
                    print(f"\n{described(seed, number, options.far)}", flush=True)
                kinds[kind] += 1
            done += CHUNK
            if done % max(options.sets // 20, CHUNK) < CHUNK:
                print(f"  {done:>9,} sets, {time.monotonic() - begin:.0f} s", flush=True)
    print(f"{done:,} sets in {time.monotonic() - begin:.0f} s")
    for verdict, count in sorted(said.items()):
        print(f"  {verdict:<30} {count:>9,}")
    for kind, count in sorted(kinds.items()):
        print(f"  WRONG {kind}: {count:,}")
    print("something contradicts the proofs" if kinds else "nothing was found that contradicts the proofs")
    return 1 if kinds else 0


if __name__ == "__main__":
    sys.exit(main())
