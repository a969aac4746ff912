"""A verdict for people: the worst finding first, each with its place, what it says, and what all of them come to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..findings.escaping import escaped, escaped_value
from ..pack.rules import Severity
from .judge import Located, Verdict
from .terminal import Style
from .try_it import TryIt

_COLOURS = {Severity.CRITICAL: "red", Severity.HIGH: "red", Severity.MEDIUM: "yellow", Severity.LOW: "cyan"}


def check_text(verdicts: Sequence[Verdict], style: Style, try_it: TryIt) -> str:
    """What `check` prints."""
    titled = len(verdicts) > 1
    return "\n".join(line for verdict in verdicts for line in _verdict(verdict, style, titled, try_it)) + "\n"


def _verdict(verdict: Verdict, style: Style, titled: bool, try_it: TryIt) -> Iterator[str]:
    if titled:
        yield style.paint(escaped_value(verdict.loaded.name), "bold")
    for finding in verdict.findings:
        yield from finding_lines(finding, style)
        command = try_it(verdict, finding)
        if command:
            yield style.paint(f"  Try it: {command}", "dim")
        yield ""
    for pending in verdict.undecided:
        text = f"decided at update ({pending.rule.name}): {escaped(pending.finding.text)}"
        yield style.paint(style.wrapped(f"{escaped_value(str(pending.place))}: {text}", ""), "dim")
    for finding, exemption in verdict.exempt:
        until = f"exempt until {exemption.expires.isoformat()} ({escaped_value(exemption.reason)})"
        first = escaped_value(finding.finding.text.partition("\n")[0])
        yield style.paint(style.wrapped(f"{finding.rule.name}: {until}: {first}", ""), "dim")
    for note in verdict.loaded.notes:
        yield style.paint(
            style.wrapped(f"{escaped_value(str(note.place))}: note: {escaped_value(note.text)}", ""), "dim"
        )
    yield summary(verdict, style)


def finding_lines(finding: Located, style: Style) -> Iterator[str]:
    colour = _COLOURS[finding.rule.severity] if finding.mandatory else "dim"
    level = f"{finding.rule.severity.value}, {finding.level.value}"
    place = style.paint(escaped_value(str(finding.place)), "bold")
    yield f"{place}: {style.paint(finding.rule.name, colour)} ({level})"
    yield style.wrapped(escaped(finding.finding.text), "  ")


def summary(verdict: Verdict, style: Style) -> str:
    """The verdict in one line."""
    if not verdict.roles and not verdict.pools and not verdict.findings:
        return f"{escaped_value(verdict.loaded.name)}: no identity pool, and no role that one issues credentials for"
    judged = f"{counted(len(verdict.roles), 'role')} and {counted(verdict.pools, 'identity pool')}"
    if not verdict.findings:
        undecided = f"; {counted(len(verdict.undecided), 'question')} decided at update" if verdict.undecided else ""
        return f"{style.paint('no findings', 'green')} for {judged}{undecided}"
    mandatory = sum(finding.mandatory for finding in verdict.findings)
    what = counted(len(verdict.findings), "finding")
    return f"{style.paint(what, 'red' if mandatory else 'yellow')} ({mandatory} mandatory) for {judged}"


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
