"""The page that shows who reaches what in a deployed stack, drawn by the policy pack's own command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .in_process import Run


class NoPage(Exception):
    """The page could not be written; the reason in one line."""


def exported(run: Run) -> dict[str, Any]:
    """A run in this process as `pulumi stack export` would write it."""
    resources = [
        {
            "urn": each.urn,
            "type": each.type_,
            "custom": each.custom,
            "id": str(run.states.get(each.urn, {}).get("id") or ""),
            "inputs": dict(each.inputs),
            "outputs": dict(run.states.get(each.urn, {})),
            "parent": each.parent,
            "dependencies": list(each.dependencies),
            "propertyDependencies": {key: list(urns) for key, urns in each.property_dependencies.items()},
        }
        for each in run.registrations
    ]
    return {"version": 3, "deployment": {"resources": resources}}


def write_page(export: Mapping[str, Any], pack: Path, config: Mapping[str, Any], page: Path) -> None:
    """Draw a stack's page.

    Args:
        export: the stack as `pulumi stack export` writes it.
        pack: the policy pack's folder.
        config: the pack's config, by rule.
        page: the file to write; its folder is made.

    Raises:
        NoPage: it could not be written.
    """
    try:
        page.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, page.stem).write_text(json.dumps(export), encoding="utf-8")
            Path(folder, "config.json").write_text(json.dumps(config), encoding="utf-8")
            options = ("--config", "config.json", "-o", page.resolve())
            command = (sys.executable, "-m", "identity_scope", "report", page.stem, *options)
            environment = {**os.environ, "PYTHONPATH": str(pack)}
            done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    except OSError as error:
        raise NoPage(f"{page}: {error.strerror}") from None
    if done.returncode != 0:
        raise NoPage((done.stderr.strip().splitlines() or ["the command failed"])[-1])
