"""A stack that leaks against one that does not: what finding the example, deciding it again and proving a fix cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from sandbox.engine.in_process import Registration
from sandbox.engine.policy_pack import Analyzer
from tests.policies.pack.engine import built, cases

from .packs import PACK, analyze, analyze_stack, queue

OTHERS = 50
"""Resources of a stack that are none of the pack's business."""


@dataclass(frozen=True)
class Leaks:
    """Clean and leaky stacks of one size.

    Attributes:
        clean: how many report nothing.
        leaky: in how many users reach each other's files.
        clean_s: seconds of a clean stack, from its first resource to the answer about the whole; the median.
        middle: the median over the leaky ones, in times that.
        worst: the slowest leaky one, in times that.
        slowest: which one it is.
    """

    clean: int
    leaky: int
    clean_s: float
    middle: float
    worst: float
    slowest: str


def measure(rounds: int) -> Leaks:
    """The pack's own cases, each as a stack with other resources; medians of the rounds."""
    others = [queue(index) for index in range(OTHERS)]
    clean: list[float] = []
    leaky: list[tuple[float, str]] = []
    with Analyzer(PACK) as pack:
        for kind, case in cases():
            found = case["expect"]
            if "config" in case["given"] or (found and "s3-isolated-by-identity" not in found):
                continue
            resources = [*built(case), *others]
            _update(pack, resources)
            seconds = median(_update(pack, resources) for _ in range(rounds))
            if found:
                leaky.append((seconds, f"{kind}: {case['why']}"))
            else:
                clean.append(seconds)
    usual = median(clean)
    worst, slowest = max(leaky)
    middle = median(seconds for seconds, _ in leaky)
    return Leaks(len(clean), len(leaky), usual, middle / usual, worst / usual, slowest)


def _update(pack: Analyzer, resources: Sequence[Registration]) -> float:
    """Seconds that the pack takes of an update of a stack."""
    pack.configure({})
    return analyze(pack, resources) + analyze_stack(pack, resources)
