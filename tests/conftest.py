"""Fixtures that several test modules share."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import settings

from sandbox.aws.server import Sandbox
from sandbox.engine import in_process, stack_files
from sandbox.engine.in_process import Run
from sandbox.scenario import account, prerequisites
from sandbox.scenario.access_checks import AccessChecks
from sandbox.scenario.account import AppConfig, OffLimits
from sandbox.scenario.attempts import Person
from tests.scale import SCALE

ROOT = Path(__file__).resolve().parent.parent

settings.register_profile("scaled", max_examples=100 * SCALE, deadline=None)
settings.load_profile("scaled")


@pytest.fixture(autouse=True)
def _no_aws_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)


@dataclass(frozen=True)
class Deployed:
    """A sandbox with a stack in it."""

    sandbox: Sandbox
    app: AppConfig
    off_limits: OffLimits
    run: Run
    clock: Clock

    def access_checks(self) -> AccessChecks:
        return AccessChecks(
            self.sandbox, self.app, self.off_limits, self.run.outputs["identityPoolId"], self.run.outputs["logins"][0]
        )


class Clock:
    """The sandbox's clock, which a test can move."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


def deploy(stack: str = "dev", **changes: Any) -> Iterator[Deployed]:
    """Deploy a stack with some of its settings changed; `region` changes the provider's."""
    region = changes.pop("region", None)
    named: dict[str, object] = {f"scoped-identity:{key}": value for key, value in changes.items()}
    if region:
        named["aws:region"] = region
    files = stack_files.read(ROOT, stack, named)
    clock = Clock()
    with Sandbox(now=clock).running() as sandbox:
        resolved = account.resolve_references(files.app_config())
        app = account.read_app(resolved.config)
        off_limits = account.build(sandbox, app)
        prerequisites.create_prerequisites(sandbox, app, resolved.config)
        run = in_process.run(
            sandbox,
            ROOT / "__main__.py",
            files.project,
            files.stack,
            files.config,
            stack_outputs=resolved.stack_outputs,
        )
        yield Deployed(sandbox, app, off_limits, run, clock)


@pytest.fixture(scope="module")
def dev() -> Iterator[Deployed]:
    """The dev stack, deployed once for a module's tests."""
    yield from deploy()


def refusal(error: ClientError) -> str:
    """AWS's error code."""
    return str(error.response["Error"]["Code"])


def s3_of(found: Deployed, person: Person) -> Any:
    return found.sandbox.client("s3", found.app.region, person.credentials)


def identity_client(found: Deployed) -> Any:
    return found.sandbox.client("cognito-identity", found.app.region)


def tried(found: Deployed) -> dict[str, str]:
    """What came of every attempt, none of which deviates."""
    rows = list(found.access_checks().rows())
    assert [row for row in rows if not row.ok] == []
    return {f"{row.who}: {row.tries}": row.got for row in rows}
