"""A verdict as commands of GitHub Actions, which annotate the lines of a pull request.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..findings.escaping import escaped, escaped_value
from .judge import Located, Verdict


def check_github(verdicts: Sequence[Verdict]) -> str:
    """One command a line."""
    return "".join(f"{line}\n" for verdict in verdicts for line in _commands(verdict))


def _commands(verdict: Verdict) -> Iterator[str]:
    for finding in verdict.findings:
        yield _command("error" if finding.mandatory else "warning", finding, finding.finding.text)
    for finding in verdict.undecided:
        yield _command("notice", finding, f"decided at update: {finding.finding.text}")


def _command(name: str, finding: Located, text: str) -> str:
    properties = [f"file={_property(finding.place.file)}"]
    if finding.place.line:
        properties += [f"line={finding.place.line}", f"col={finding.place.column}"]
    properties.append(f"title={_property(finding.rule.name)}")
    return f"::{name} {','.join(properties)}::{_data(escaped(text))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(escaped_value(text)).replace(":", "%3A").replace(",", "%2C")
