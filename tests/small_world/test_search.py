"""The small search, which contradicts no proof; and holes that are planted in the proofs, each of which it finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.scale import SCALE

from . import __main__ as search
from .compare import compare
from .planted import HOLES, planted
from .sets import DocumentSet
from .shape import SHAPES

FOUND: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "planted.yaml").read_text(encoding="utf-8"))


@pytest.mark.random
@pytest.mark.parametrize("chunk", range(10 * SCALE))
def test_nothing_contradicts_the_proofs(chunk: int) -> None:
    said, wrong = search.run(7, 14, chunk)
    assert [defect for _, defect in wrong] == []
    for proof in ("isolation", "own folder", "no escalation"):
        assert said[f"{proof}: holds"] > 5
        assert said[f"{proof}: violated"] > 0
        assert said[f"{proof}: not proven"] + said[f"{proof}: over budget"] < 5


@pytest.mark.parametrize("hole", HOLES)
def test_a_planted_hole_is_found(hole: str) -> None:
    """By the set that shows it; `python -m tests.small_world --planted` searches for such sets."""
    found = dict(FOUND[hole])
    says, shape = found.pop("says"), SHAPES[found.pop("shape")]
    made = DocumentSet(shape, **found)
    assert compare(made).defects == []
    with planted(hole):
        assert compare(made).defects[0] == says
