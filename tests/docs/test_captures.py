"""The terminal captures of the front page show what the program prints today."""

from __future__ import annotations

from itertools import groupby

import pytest

from scripts.captures import CAPTURES, IMAGES, svg, text_of


@pytest.mark.parametrize("name", list(CAPTURES))
def test_a_capture_shows_the_current_output(name: str) -> None:
    """`python -m scripts.captures` takes the pictures again."""
    lines, _ = CAPTURES[name]
    assert _in_order(text_of((IMAGES / name).read_text(encoding="utf-8"))) == _in_order(lines())


def _in_order(lines: list[str]) -> list[str]:
    """The lines with resources that follow each other sorted: those that do not depend on each other come in any order."""
    found: list[str] = []
    for created, group in groupby(lines, lambda line: line.startswith("    + aws:")):
        rows = list(group)
        found += sorted(rows) if created else rows
    return found


def test_a_picture_keeps_every_letter() -> None:
    lines = ["$ a <b> & 'c'", "", "    + d ✓", "policy violation `e` (mandatory)"]
    assert text_of(svg(lines, "title")) == lines
