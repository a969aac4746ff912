"""The report: verdicts as one page to look at."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import NamedTemporaryFile

from ..pack.settings import Settings
from ..report.page import page
from ..report.summary import Told, scopes_of, summary
from ..report.views import Stack
from ..sources.files import InputError
from .judge import Located, Verdict

_OPEN_QUESTIONS = ("not proven", "obstacle", "pending")
"""What the cause of a finding begins with that no request shows."""


def report(verdicts: Sequence[Verdict], settings: Settings) -> str:
    """The page of some verdicts, with an overview where there is more than one."""
    stacks = [_stack(verdict, settings) for verdict in verdicts]
    # What all names begin with tells nothing.
    folders = {os.path.dirname(stack.name) for stack in stacks}
    alike = len(stacks) > 1 and all(folders) and len(set(map(os.path.isabs, folders))) == 1
    folder = os.path.commonpath(folders) if alike else ""
    return page([replace(stack, name=os.path.relpath(stack.name, folder)) if folder else stack for stack in stacks])


def write(path: str, text: str) -> None:
    """Write a file as a whole or not at all.

    Raises:
        InputError: it cannot be written there.
    """
    target = Path(path)
    try:
        with NamedTemporaryFile(
            "w", encoding="utf-8", dir=target.parent, delete=False, errors="backslashreplace"
        ) as file:
            file.write(text)
        try:
            os.chmod(file.name, 0o644)
            os.replace(file.name, target)
        except OSError:
            os.unlink(file.name)
            raise
    except OSError as error:
        raise InputError(path, f"cannot be written: {error.strerror}") from None


def _stack(verdict: Verdict, settings: Settings) -> Stack:
    told = [_told(each, "mandatory" if each.mandatory else "advisory", verdict) for each in verdict.findings]
    told += [_told(each, "exempt", verdict) for each, _ in verdict.exempt]
    config = settings.rules["s3-isolated-by-identity"].config
    issuers = config.known.issuers
    return summary(
        verdict.loaded.name,
        verdict.loaded.inventory,
        verdict.roles,
        told,
        scopes_of(verdict.roles, tuple(issuers.items()), config.tenants),
    )


def _told(each: Located, level: str, verdict: Verdict) -> Told:
    roles = {role.urn for role in verdict.roles}
    return Told(
        each.rule.name,
        level,
        each.finding.text,
        each.document,
        each.statement,
        next((part for part in (*each.finding.key, each.finding.urn) if part in roles), ""),
        str(each.place),
        each.finding.example,
        proven=each.finding.key[0] not in _OPEN_QUESTIONS,
    )
