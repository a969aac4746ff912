"""The terminal: colours, width and progress, where somebody looks at it."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

from ..findings.escaping import escaped_value

_CODES = {"red": "31", "yellow": "33", "green": "32", "bold": "1", "dim": "2", "cyan": "36"}


@dataclass(frozen=True)
class Style:
    """How text is written: with colours or without, and how wide; 0 for no limit."""

    colours: bool = False
    width: int = 0

    def paint(self, text: str, *colours: str) -> str:
        if not self.colours or not colours:
            return text
        return f"\033[{';'.join(_CODES[colour] for colour in colours)}m{text}\033[0m"

    def wrapped(self, text: str, indent: str) -> str:
        """Text of several lines, each within the width; nothing is broken that somebody may want to copy."""
        if not self.width:
            return "\n".join(indent + line for line in text.split("\n"))
        lines: list[str] = []
        for line in text.split("\n"):
            own = indent + line[: len(line) - len(line.lstrip())]
            lines += textwrap.wrap(
                line.strip(),
                max(self.width, len(own) + 40),
                initial_indent=own,
                subsequent_indent=own,
                break_long_words=False,
                break_on_hyphens=False,
            ) or [""]
        return "\n".join(lines)


def style_of(stream: TextIO, environment: Mapping[str, str] = os.environ) -> Style:
    """Colours and a width for a terminal, unless NO_COLOR asks for none; neither for a file or a pipe."""
    if not stream.isatty():
        return Style(colours=bool(environment.get("FORCE_COLOR")) and not environment.get("NO_COLOR"))
    dumb = environment.get("TERM") == "dumb"
    return Style(not dumb and not environment.get("NO_COLOR"), min(shutil.get_terminal_size().columns, 140))


class Progress:
    """A line on the terminal about what takes longer than a second."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._begin = time.monotonic()
        self._shown = False

    def __call__(self, what: str) -> None:
        if time.monotonic() - self._begin > 1 and self._stream.isatty():
            width = shutil.get_terminal_size().columns - 1
            self._stream.write(f"\r\033[K{escaped_value(what)[:width]}")
            self._stream.flush()
            self._shown = True

    def clear(self) -> None:
        if self._shown:
            self._stream.write("\r\033[K")
            self._stream.flush()
            self._shown = False
