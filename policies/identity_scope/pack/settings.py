"""How the rules are configured: of each its level and what it declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .configuration import Config
from .rules import RULES, Level

ALL = "all"
"""The entry whose level is that of every rule without one. The engine applies it, and hands it over with the rules."""


@dataclass(frozen=True)
class RuleSettings:
    """A rule's level and configuration; with problems, nothing of it is decided."""

    level: Level
    config: Config = field(default_factory=Config)
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """The configuration of all rules, by name, and what is wrong beside them, such as the name of a rule."""

    rules: Mapping[str, RuleSettings] = field(default_factory=lambda: {r.name: RuleSettings(r.level) for r in RULES})
    problems: tuple[str, ...] = ()
