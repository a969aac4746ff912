"""A verdict as SARIF 2.1.0, which code scanning services read.

Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..findings.escaping import escaped
from ..iam.documents import Statement
from ..inventory.labels import unmarked
from ..pack.rules import RULES, Level, Rule, Severity
from ..sources.files import Place
from .judge import Located, Verdict

_LEVELS = {True: "error", False: "warning"}
_SCORES = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.0", Severity.LOW: "2.0"}
"""What GitHub shows as critical, high, medium and low."""
FINGERPRINT = "identityScope/v1"


def check_sarif(verdicts: Sequence[Verdict]) -> str:
    """The verdicts as one run."""
    rules = [rule.name for rule in RULES]
    counts: Counter[str] = Counter()
    results: list[dict[str, Any]] = []
    for verdict in verdicts:
        results += [_result(verdict, finding, rules, counts) for finding in verdict.findings]
        for finding, exemption in verdict.exempt:
            result = _result(verdict, finding, rules, counts)
            reason = f"{exemption.reason} (until {exemption.expires.isoformat()})"
            results.append({**result, "suppressions": [{"kind": "external", "justification": escaped(reason)}]})
    run = {
        "tool": {"driver": {"name": "identity-scope", "rules": [_rule(rule) for rule in RULES]}},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    value = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(value, indent=2) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.name,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.display_name},
        "fullDescription": {"text": rule.description},
        "help": {"text": rule.advice},
        "helpUri": rule.framework.reference,
        "defaultConfiguration": {"level": _LEVELS[rule.level is Level.MANDATORY]},
        "properties": {
            "tags": ["security", *rule.tags],
            "precision": "very-high",
            "security-severity": _SCORES[rule.severity],
        },
    }


def _result(verdict: Verdict, finding: Located, rules: list[str], counts: Counter[str]) -> dict[str, Any]:
    return {
        "ruleId": finding.rule.name,
        "ruleIndex": rules.index(finding.rule.name),
        "level": _LEVELS[finding.mandatory],
        "message": {"text": escaped(finding.finding.text)},
        "locations": [_location(verdict, finding)],
        "partialFingerprints": {FINGERPRINT: _fingerprint(verdict, finding, counts)},
    }


def _location(verdict: Verdict, finding: Located) -> dict[str, Any]:
    resource = verdict.loaded.resources.get(finding.finding.urn)
    logical = {"fullyQualifiedName": escaped(finding.finding.urn or verdict.loaded.name), "kind": "resource"}
    if resource is not None:
        logical["name"] = escaped(resource.name)
    return {"physicalLocation": _physical(finding.place), "logicalLocations": [logical]}


def _physical(place: Place) -> dict[str, Any]:
    found: dict[str, Any] = {"artifactLocation": {"uri": uri(place.file)}}
    if place.line:
        found["region"] = {"startLine": place.line, "startColumn": place.column}
    return found


def uri(file: str) -> str:
    """A file's name as a URI, relative unless the name is absolute."""
    name = file.encode("utf-8", "surrogateescape")
    path = Path(file)
    return f"file://{quote(name)}" if path.is_absolute() else quote(name)


def _fingerprint(verdict: Verdict, finding: Located, counts: Counter[str]) -> str:
    """What tells a finding from others, whatever else changes in the file: its rule, resource and statement.

    Lines, numbers of statements and the example that shows the finding are no part of it.
    """
    statement = _statement(verdict, finding)
    said = repr(_content(statement)) if statement is not None else _cause(finding)
    urn = finding.finding.urn.partition("::")[2]
    text = "\0".join((finding.rule.name, finding.finding.key[0], urn, finding.document, said))
    digest = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:32]
    counts[digest] += 1
    return f"{digest}:{counts[digest]}"


def _cause(finding: Located) -> str:
    return " ".join(part for part in finding.finding.key[1:] if part != finding.finding.urn and not part.isdigit())


def _content(statement: Statement) -> tuple[object, ...]:
    return (
        statement.effect.value,
        (statement.not_action, sorted(statement.actions)),
        (statement.not_resource, sorted(statement.resources)),
        sorted((c.label, c.key, sorted(c.values)) for c in statement.conditions),
        statement.principals.entries if statement.principals is not None else (),
    )


def _statement(verdict: Verdict, finding: Located) -> Statement | None:
    """The statement that a finding is about, as it was judged."""
    for documents in _documents(verdict, finding):
        for statement in documents:
            if statement.index == finding.statement:
                return statement
    return None


def _documents(verdict: Verdict, finding: Located) -> Iterator[tuple[Statement, ...]]:
    for role in verdict.roles:
        if role.trust is not None and role.urn == finding.finding.urn and finding.finding.key[0] == "trust":
            yield role.trust.statements
        named = [*role.principal.documents, *((p.name, p.document) for p in role.principal.resource)]
        for label, document in named:
            if unmarked(label) == finding.document and role.sources.get(label) == finding.finding.urn:
                yield document.statements
