"""The pack's configuration from a file: the same JSON that `--policy-pack-config` takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..pack.configuration import read
from ..pack.rules import RULES, Level
from ..pack.settings import ALL, RuleSettings, Settings
from ..sources import files
from ..sources.files import InputError

_LEVEL = "enforcementLevel"
_LEVELS = ", ".join(level.value for level in Level)


def read_settings(path: str | None) -> Settings:
    """The configuration of a file; the defaults without one.

    Raises:
        InputError: something in the file is wrong; all problems are named together.
    """
    if path is None:
        return Settings()
    value = files.parse(path, files.read(path)).value
    if not isinstance(value, dict):
        raise InputError(path, "must be an object of rules")
    names = [rule.name for rule in RULES]
    unknown = [name for name in value if name not in (*names, ALL, "identity-scope")]
    problems = [f"`{name}` is not a rule; the rules are {', '.join(names)}" for name in unknown]
    for_all, settings = _level(ALL, value.get(ALL), problems)
    problems += [f"`{ALL}` has no settings; configure the rules"] if settings else []
    rules: dict[str, RuleSettings] = {}
    for rule in RULES:
        level, raw = _level(rule.name, value.get(rule.name), problems)
        wrong: list[str] = []
        config = read(rule.settings, raw, wrong)
        problems += [f"{rule.name}.{problem}" for problem in wrong]
        rules[rule.name] = RuleSettings(level or for_all or rule.level, config)
    if problems:
        raise InputError(path, "\n".join(["configuration errors:", *(f"  {problem}" for problem in problems)]))
    return Settings(rules)


def _level(name: str, value: Any, problems: list[str]) -> tuple[Level | None, Mapping[str, Any]]:
    """A rule's level, where it is set, and its settings."""
    raw: dict[str, Any] = {}
    level = value
    if isinstance(value, dict):
        raw = {key: item for key, item in value.items() if key != _LEVEL}
        level = value.get(_LEVEL)
    if level is None:
        return None, raw
    try:
        return Level(level), raw
    except ValueError:
        problems.append(f"{name}.{_LEVEL}: must be one of {_LEVELS}")
        return None, raw
