"""Verdicts and differences as Markdown, for the comment of a pull request.

What comes from a file is never read as Markdown or HTML: names are written as character references, texts in a block of
code whose fence is longer than any that they hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..findings.escaping import escaped, escaped_value
from .difference import Change, Difference, summary
from .judge import Located, Verdict
from .terminal import Style
from .text import summary as verdict_summary

_PLAIN = Style()


def check_markdown(verdicts: Sequence[Verdict]) -> str:
    """The verdicts, each with a table of its findings."""
    return "\n".join(line for verdict in verdicts for line in _verdict(verdict))


def _verdict(verdict: Verdict) -> Iterator[str]:
    mark = "❌" if any(f.mandatory for f in verdict.findings) else "⚠️" if verdict.findings else "✅"
    yield f"### {mark} {text(verdict.loaded.name)}: {text(verdict_summary(verdict, _PLAIN))}\n"
    if verdict.findings:
        yield "| rule | level | where |\n|---|---|---|"
        for finding in verdict.findings:
            level = f"{finding.rule.severity.value}, {finding.level.value}"
            yield f"| {finding.rule.name} | {level} | {text(str(finding.place))} |"
        yield ""
        for finding in verdict.findings:
            yield from _details(finding)
    for pending in verdict.undecided:
        yield f"- decided at update ({pending.rule.name}): {text(pending.finding.text)}"
    for note in verdict.loaded.notes:
        yield f"- {text(str(note.place))}: {text(note.text)}"
    yield ""


def _details(finding: Located) -> Iterator[str]:
    yield f"<details><summary>{finding.rule.name}, {text(str(finding.place))}</summary>\n"
    yield block(finding.finding.text)
    yield "\n</details>\n"


def diff_markdown(difference: Difference) -> str:
    """The difference as a table: who, what is new, what is lost, each with an example."""
    changed = [role for role in difference.roles if role.gained or role.lost]
    mark = "⚠️" if difference.gains else "✅"
    lines = [f"### {mark} {text(summary(difference))}\n"]
    if changed:
        lines.append("| who | | example | where |\n|---|---|---|---|")
    for role in changed:
        name = text(role.name) + ("" if role.status == "kept" else f" ({role.status})")
        for words, changes in (("may now", role.gained), ("may no longer", role.lost)):
            lines += [_row(name, words if change.proven else "not proven", change) for change in changes]
    return "\n".join([*lines, ""])


def _row(name: str, words: str, change: Change) -> str:
    return f"| {name} | {words} | {text(change.text)} | {text(str(change.place))} |"


def text(value: str) -> str:
    """Text that is not read as Markdown or HTML, links nowhere, and mentions nobody."""
    return re.sub(r"[^\w /,=–—…-]|_", lambda match: f"&#{ord(match.group())};", escaped_value(value).replace("\n", " "))


def block(value: str) -> str:
    """Text as a block of code."""
    shown = escaped(value)
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", shown)), default=0))
    return f"{fence}text\n{shown}\n{fence}"
