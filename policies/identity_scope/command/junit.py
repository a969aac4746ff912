"""A verdict as JUnit XML, which build servers read: each rule is a test, each finding a failure.

Source: https://github.com/testmoapp/junitxml
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from ..findings.escaping import escaped, escaped_value
from ..pack.rules import RULES
from .judge import Located, Verdict


def check_junit(verdicts: Sequence[Verdict]) -> str:
    """The verdicts, each a suite of tests."""
    suites = [list(_cases(verdict)) for verdict in verdicts]
    tests, failures = sum(map(len, suites)), sum(len(verdict.findings) for verdict in verdicts)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="identity-scope" tests="{tests}" failures="{failures}">',
    ]
    for verdict, cases in zip(verdicts, suites, strict=True):
        name = quoteattr(escaped_value(verdict.loaded.name))
        counts = f'tests="{len(cases)}" failures="{len(verdict.findings)}" skipped="{len(verdict.undecided)}"'
        lines += [f"  <testsuite name={name} {counts}>", *cases, "  </testsuite>"]
    return "\n".join([*lines, "</testsuites>"]) + "\n"


def _cases(verdict: Verdict) -> Iterator[str]:
    for rule in RULES:
        findings = [finding for finding in verdict.findings if finding.rule.name == rule.name]
        undecided = [finding for finding in verdict.undecided if finding.rule.name == rule.name]
        for finding in findings:
            text = escaped(finding.finding.text)
            message = quoteattr(text.partition("\n")[0])
            failure = f"<failure type={quoteattr(rule.severity.value)} message={message}>{escape(text)}</failure>"
            yield f"    <testcase {_named(finding)}>{failure}</testcase>"
        for finding in undecided:
            message = quoteattr(f"decided at update: {escaped_value(finding.finding.text)}")
            yield f"    <testcase {_named(finding)}><skipped message={message}/></testcase>"
        if not findings and not undecided:
            yield f'    <testcase classname="{rule.name}" name={quoteattr(rule.display_name)}/>'


def _named(finding: Located) -> str:
    place = finding.place
    name = quoteattr(f"{finding.rule.display_name}: {escaped_value(str(place))}")
    line = f' line="{place.line}"' if place.line else ""
    return f'classname="{finding.rule.name}" name={name} file={quoteattr(escaped_value(place.file))}{line}'
