"""A stack of somebody's Pulumi program, deployed for a test."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pulumi

from ..aws.server import Sandbox
from ..engine import in_process, stack_files
from ..errors import InputError
from ..scenario import account, prerequisites
from ..scenario.setup import Setup, of_pool


def deploy(sandbox: Sandbox, project: Path, stack: str, buckets: Sequence[str]) -> Setup:
    """Deploy a stack of a program in Python.

    Args:
        project: the folder of Pulumi.yaml.
        buckets: names of buckets that are there before; those that this project's config names are there anyway.

    Raises:
        InputError: the stack's files or the program's config are wrong.
    """
    files = stack_files.read(project, stack)
    settings = files.app_config()
    if not files.main.exists():
        raise InputError(f"{files.main} does not exist; the sandbox deploys programs in Python")
    sys.path.insert(0, str(project.resolve()))  # as Pulumi does
    outputs = {}
    found = {"bucket": buckets[0] if buckets else ""}
    for name in buckets:
        account.bucket(sandbox, files.region, name)
    if isinstance(settings.get("uploads"), dict) and isinstance(settings.get("api"), dict):
        resolved = account.resolve_references(settings)
        outputs = dict(resolved.stack_outputs)
        app = account.read_app(resolved.config)
        account.build(sandbox, app)
        prerequisites.create_prerequisites(sandbox, app, resolved.config)
        found = {"bucket": app.bucket, "api": app.api, "stage": app.stage}
    try:
        run = in_process.run(sandbox, files.main, files.project, stack, files.config, stack_outputs=outputs)
    except pulumi.RunError as error:
        raise InputError(f"the program refuses the config of the stack `{stack}`: {error}") from None
    return of_pool(sandbox, str(run.outputs.get("identityPoolId") or "") or None, outputs=dict(run.outputs), **found)
