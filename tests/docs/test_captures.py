"""The terminal captures of the front page show what the program prints today."""

from __future__ import annotations

import pytest

from scripts.captures import CAPTURES, IMAGES, svg, text_of


@pytest.mark.parametrize("name", list(CAPTURES))
def test_a_capture_shows_the_current_output(name: str) -> None:
    """`python -m scripts.captures` takes the pictures again."""
    lines, _ = CAPTURES[name]
    assert text_of((IMAGES / name).read_text(encoding="utf-8")) == lines()


def test_a_picture_keeps_every_letter() -> None:
    lines = ["$ a <b> & 'c'", "", "    + d ✓", "policy violation `e` (mandatory)"]
    assert text_of(svg(lines, "title")) == lines
