"""A verdict for machines. The formats are stable and described in docs/command.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..findings.escaping import escaped
from ..findings.example import Example
from ..sources.files import Place
from .judge import Located, Verdict

JSON_VERSION = 1


def check_json(verdicts: Sequence[Verdict]) -> str:
    """The verdicts as JSON; its schema is `command/check.schema.json`."""
    value = {"version": JSON_VERSION, "verdicts": [_verdict(verdict) for verdict in verdicts]}
    return json.dumps(value, indent=2, ensure_ascii=True) + "\n"


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "name": escaped(verdict.loaded.name),
        "roles": sorted(escaped(role.label) for role in verdict.roles),
        "identityPools": sorted(escaped(pool.label) for pool in verdict.loaded.inventory.pools.values()),
        "findings": [_finding(finding) for finding in verdict.findings],
        "undecided": [_finding(finding) for finding in verdict.undecided],
        "exempt": [
            {**_finding(finding), "reason": escaped(by.reason), "expires": by.expires.isoformat()}
            for finding, by in verdict.exempt
        ],
        "notes": [{"place": _place(note.place), "text": escaped(note.text)} for note in verdict.loaded.notes],
    }


def _finding(finding: Located) -> dict[str, Any]:
    found: dict[str, Any] = {
        "rule": finding.rule.name,
        "level": finding.level.value,
        "severity": finding.rule.severity.value,
        "kind": finding.finding.kind.name.lower().replace("_", "-") if finding.finding.kind is not None else None,
        "text": escaped(finding.finding.text),
        "fix": finding.finding.fix.as_json(),
        "example": _example(finding.finding.example),
        "urn": escaped(finding.finding.urn),
        "place": _place(finding.place),
    }
    if finding.document:
        found["document"] = escaped(finding.document)
    if finding.statement is not None:
        found["statement"] = finding.statement + 1
    return found


def _example(example: Example | None) -> dict[str, Any] | None:
    if example is None:
        return None
    return {key: _escaped(value) for key, value in example.as_json().items()}


def _escaped(value: Any) -> Any:
    if isinstance(value, list):
        return list(map(_escaped, value))
    return escaped(value) if isinstance(value, str) else value


def _place(place: Place) -> dict[str, Any]:
    found: dict[str, Any] = {"file": escaped(place.file)}
    if place.line:
        found |= {"line": place.line, "column": place.column}
    return found
