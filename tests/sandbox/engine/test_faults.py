"""AWS on a bad day: calls are throttled, end in a server's error, get half an answer or none; and machines on theirs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from sandbox.aws.http import HttpRequest, Response
from sandbox.aws.listener import HangUp
from sandbox.aws.server import Sandbox
from sandbox.engine import in_process, stack_files
from sandbox.engine.in_process import Run
from sandbox.engine.policy_gate import PolicyGate
from sandbox.engine.policy_pack import Analyzer, AnalyzerFailed
from sandbox.provider.resource_type import BrokenAnswer
from sandbox.scenario import account, prerequisites
from sandbox.scenario.access_checks import AccessChecks
from tests.conftest import ROOT
from tests.processes import expect_end

ERRORS = (ClientError, BotoCoreError, ResponseParserError, BrokenAnswer)
THROTTLED, DOWN, PROXY, SILENT = "throttled", "a server's error", "a page of a proxy", "no answer"
LOST, HALF = "done, and the answer lost", "done, and half an answer"
RETRIED = [THROTTLED, DOWN, PROXY, SILENT]
"""Faults after which nothing has happened, so that every call can be tried again."""


class Unreliable(Sandbox):
    """A sandbox whose answers to the administrator fail as told.

    Attributes:
        fails: what becomes of the nth request, counted from 1; None where it is answered.
        calls: how many requests there were.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fails: Callable[[int], str | None] = lambda _: None
        self.calls = 0

    def respond(self, request: HttpRequest) -> Response:
        if self.admin_key not in request.headers.get("authorization", ""):
            return super().respond(request)
        self.calls += 1
        kind = self.fails(self.calls)
        if kind is None:
            return super().respond(request)
        if kind in (LOST, HALF):
            response = super().respond(request)
            if kind == LOST:
                raise HangUp
            return Response(response.status, response.body[: len(response.body) // 2])
        if kind == SILENT:
            raise HangUp
        if kind == PROXY:
            return Response(503, b"<html><body>Service Unavailable</body></html>")
        code, status = {THROTTLED: ("Throttling", 400), DOWN: ("InternalError", 500)}[kind]
        if request.target:
            return Response(status, b'{"__type": "%sException"}' % code.encode())
        return Response(status, b"<E><Error><Code>%s</Code></Error></E>" % code.encode())


class Stack:
    """The dev stack, deployed into an unreliable sandbox."""

    def __init__(self, sandbox: Unreliable) -> None:
        self.sandbox = sandbox
        self.files = stack_files.read(ROOT, "dev")
        self.app = account.read_app(self.files.app_config())
        self.off_limits = account.build(sandbox, self.app)
        prerequisites.create_prerequisites(sandbox, self.app, self.files.app_config())
        self.there: Run | None = None

    def up(self, fails: Callable[[int], str | None] = lambda _: None, **changes: Any) -> int:
        """Deploy, with faults; the number of calls that it took. What is there is known after a failure too."""
        self.sandbox.fails, self.sandbox.calls = fails, 0
        files = stack_files.read(ROOT, "dev", {f"scoped-identity:{k}": v for k, v in changes.items()})
        main = ROOT / "__main__.py"
        try:
            self.there = in_process.run(self.sandbox, main, files.project, "dev", files.config)
        finally:
            self.sandbox.fails = lambda _: None
        return self.sandbox.calls

    def again(self, fails: Callable[[int], str | None], **changes: Any) -> bool:
        """Deploy with faults; whether the run came through."""
        try:
            self.up(fails, **changes)
        except ERRORS:
            return False
        return True

    def works(self) -> bool:
        assert self.there is not None
        outputs = self.there.outputs
        access_checks = AccessChecks(
            self.sandbox, self.app, self.off_limits, outputs["identityPoolId"], outputs["logins"][0]
        )
        return all(row.ok for row in access_checks.rows())

    def roles(self) -> list[str]:
        found = self.sandbox.client("iam", "us-east-1").list_roles()["Roles"]
        return [role["RoleName"] for role in found]


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterable[Stack]:
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None, time=time.time))
    with Unreliable().running() as sandbox:
        assert isinstance(sandbox, Unreliable)
        yield Stack(sandbox)


@pytest.mark.parametrize("kind", RETRIED)
def test_every_call_is_tried_again(stack: Stack, kind: str) -> None:
    """Each call in turn fails at first; the run ends as if nothing had been."""
    before = stack.roles()
    usual = stack.up(lambda n: kind if n % 2 else None)
    assert usual >= 2 * 5
    assert stack.works()
    assert len(stack.roles()) == len(before) + 1


def from_call(at: int, kind: str) -> Callable[[int], str | None]:
    return lambda n: kind if n >= at else None


@pytest.mark.parametrize("kind", [*RETRIED, LOST, HALF])
def test_a_run_that_fails_at_any_call_is_reported(stack: Stack, kind: str) -> None:
    at = 0
    while not stack.again(from_call(at := at + 1, kind)):
        assert at < 40
    assert at >= 5
    assert stack.works()


def test_a_pack_that_dies_in_the_middle_of_a_run_ends_it_and_passes_nothing(stack: Stack) -> None:
    files, main = stack.files, ROOT / "__main__.py"
    count = len(in_process.run(stack.sandbox, main, files.project, "dev", files.config).registrations)
    for at in range(count + 1):
        with Analyzer(ROOT / "policies") as pack:
            pack.configure({})
            watch = Dying(pack, at)
            with pytest.raises(AnalyzerFailed, match="the policy pack failed"):
                watch.finish(in_process.run(stack.sandbox, main, files.project, f"s{at}", files.config, watch))
            assert watch.passed == at


class Dying(PolicyGate):
    """Enforces with a pack that is killed after so many resources, or at the end."""

    def __init__(self, pack: Analyzer, after: int) -> None:
        super().__init__(pack)
        self._pack = pack
        self._after = after
        self.passed = -1  # the stack's own root comes first

    def __call__(self, resource: in_process.Registration) -> None:
        if self.passed == self._after:
            self._pack.kill()
        super().__call__(resource)
        self.passed += 1

    def finish(self, run: Run) -> None:
        self._pack.kill()
        super().finish(run)


def up(**how: Any) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "sandbox", "up", "--json"], cwd=ROOT, text=True, **how)


def test_two_runs_at_once_do_not_meet() -> None:
    runs = [up(stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    told = [run.communicate(timeout=120) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], told
    found = [json.loads(out) for out, _ in told]
    assert all(each["ok"] for each in found)
    assert found[0]["outputs"]["identityPoolId"] != found[1]["outputs"]["identityPoolId"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/dev/full is Linux's")
def test_a_full_disk_is_one_clear_line() -> None:
    with open("/dev/full", "w") as full:
        run = up(stdout=full, stderr=subprocess.PIPE)
        _, told = run.communicate(timeout=120)
    assert told == "error: cannot write the report: No space left on device\n"
    assert run.returncode == 1


def test_a_reader_that_goes_away_is_no_error_message() -> None:
    run = up(stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert run.stdout is not None
    run.stdout.close()
    assert run.stderr is not None
    assert run.stderr.read() == ""
    assert run.wait(timeout=120) == 1


@pytest.mark.process
def test_a_pack_ends_with_whoever_started_it() -> None:
    """Also one that is killed while the pack starts, and has no time to end it."""
    text = "from pathlib import Path; from sandbox.engine.policy_pack import Analyzer; import sys, time, subprocess\n"
    text += "real = subprocess.Popen\n"
    text += "def started(*a, **k):\n    p = real(*a, **k); print(p.pid, flush=True); time.sleep(60)\n"
    text += "subprocess.Popen = started\nAnalyzer(Path('policies'))\n"
    with subprocess.Popen([sys.executable, "-c", text], cwd=ROOT, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pack = int(owner.stdout.readline())
        owner.kill()
    expect_end(pack, "the pack")
