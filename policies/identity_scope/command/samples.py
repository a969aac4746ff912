"""What findings say of templates in which something is not known, such as a parameter without a value.

The rules are asked twice: with anything in its place, and with one value that it is likely to have. What is found with
that value is wrong with an ordinary one. What is found only with anything in its place depends on the value, and is not
proven.

INVARIANT (widening). Whatever is found with anything in its place is reported, in one way or the other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..findings.escaping import escaped
from ..findings.finding import Finding, Kind
from ..findings.fix import Declaration, Fix
from ..pack.judges import CLAIMS

_CLAIMS = {
    **CLAIMS,
    "api-invoke-scoped": "that users call only APIs that are named",
    "other-access-is-declared": "that users do not share access",
}
_OF_POOLS = frozenset({Kind.NO_POOL, Kind.OTHER_POOL})
_EXAMPLE = re.compile(r"  For example|    ")
"""How the lines of a finding begin that show a request: a request has values."""


def depends(finding: Finding, found_with_value: bool, unknown: Sequence[str]) -> bool:
    """Whether a finding depends on what is not known: on a value, or on which pool a trust policy names."""
    if finding.kind in _OF_POOLS:
        return any(variable in finding.text for variable in unknown)
    return not found_with_value and finding.kind is not Kind.NO_DOCUMENT and not finding.pending


def not_known(finding: Finding, rule: str, where: str, unknown: Sequence[str], parameters: Sequence[str]) -> Finding:
    """A finding that depends on what is not known.

    Args:
        where: the document and the statement, as messages call them.
        parameters: names of parameters without a value.
    """
    variables = [each for each in unknown if each in finding.text] or list(unknown)
    names = [each[2:-1] for each in variables]
    given = [name for name in names if name in parameters]
    options = " ".join(f"--parameter {name}=VALUE" for name in given)
    advice = (
        f"judge it with {options}"
        if given == names
        else "state the value in the template, or add the file that exports it"
    )
    values = "the value" if len(names) == 1 else "the values"
    of = " and ".join(f"`{name}`" for name in names)
    head = f"{where}: " if where else ""
    text = f"{head}not proven {_CLAIMS[rule]}: that depends on {values} of {of}, which the template does not say."
    text = f"{escaped(text)}\n  Fix: {escaped(advice)}."
    return replace(finding, text=text, kind=Kind.VALUE_NOT_KNOWN, fix=Fix(advice=advice), example=None)


def named(finding: Finding, samples: Mapping[str, str]) -> Finding:
    """A finding with the names of what is not known in place of their values, but for the request that it shows."""
    if not any(sample in finding.text for sample in samples):
        return finding
    lines = [line if _EXAMPLE.match(line) else _named(line, samples) for line in finding.text.split("\n")]
    return replace(finding, text="\n".join(lines), fix=_fix(finding.fix, samples))


def _named(text: str, samples: Mapping[str, str]) -> str:
    for sample in sorted(samples, key=len, reverse=True):
        parts = re.split(rf"(?<![A-Za-z0-9]){re.escape(sample)}(?![A-Za-z0-9])", text)
        text = samples[sample].join(parts)
    return text


def _fix(fix: Fix, samples: Mapping[str, str]) -> Fix:
    def value(given: object) -> object:
        return json.loads(_named(json.dumps(given), samples))

    def declared(given: Declaration | None) -> Declaration | None:
        return replace(given, value=value(given.value)) if given is not None else None

    edits = tuple(replace(edit, old=value(edit.old), new=value(edit.new)) for edit in fix.edits)
    return replace(fix, edits=edits, declare=declared(fix.declare), instead=declared(fix.instead))
