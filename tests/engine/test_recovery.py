"""Deployments that are killed, and two at once."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from pathlib import Path

from sandbox.aws.errors import AwsError
from sandbox.engine import pulumi_cli
from tests.conftest import ROOT
from tests.engine.conftest import GUESTS, Stack

KILLS = 10
SERVE = """
import threading
from pathlib import Path
from sandbox.engine.pulumi_cli import file_program, served
with served(file_program(Path("__main__.py"))) as address:
    print(address, flush=True)
    threading.Event().wait()
"""
"""The program in a process of its own, which can be killed with its engine."""


def _killed_update(stack: Stack, seconds: float) -> None:
    serving = subprocess.Popen([sys.executable, "-c", SERVE], cwd=ROOT, text=True, stdout=subprocess.PIPE)
    assert serving.stdout is not None
    client = serving.stdout.readline().strip()
    running = stack.start("up", "--yes", "--skip-preview", "--stack", stack.name, client=client)
    timer = threading.Timer(seconds, running.kill)
    timer.start()
    running.communicate(timeout=120)
    timer.cancel()
    serving.kill()
    serving.communicate()


def test_a_killed_update_is_recovered_by_the_next(own_provider: Stack) -> None:
    """SIGKILL at random moments of updates that switch guest access on and off; the pool never lacks its users' role."""
    stack, chosen = own_provider, random.Random(16)
    stack.up(pack=False)
    pool = stack.pool().id
    stack.roles_seen.clear()
    for turn in range(KILLS):
        stack.configure(guests=GUESTS if turn % 2 == 0 else {}, tags={"turn": str(turn)})
        _killed_update(stack, chosen.uniform(0.3, 3.0))
        stack.run("cancel", "--yes", program=False)
    _forget_pending(stack)
    stack.up("--refresh")
    assert stack.pool().id == pool
    assert all("authenticated" in roles for roles in stack.roles_seen)
    assert stack.deviations() == []
    stack.preview("--refresh", "--expect-no-changes")


def _forget_pending(stack: Stack) -> None:
    """What the engine asks of whoever recovers: resources whose creation it did not see end are taken off the state."""
    file = stack.project / "state.json"
    state = json.loads(stack.run("stack", "export", "--stack", stack.name))
    state["deployment"].pop("pending_operations", None)
    file.write_text(json.dumps(state))
    stack.run("stack", "import", "--stack", stack.name, "--file", str(file))


def test_two_stacks_at_once_do_not_meet(stack: Stack, tmp_path: Path) -> None:
    other = Stack(stack.cli, stack.sandbox, tmp_path, "other")
    with pulumi_cli.served(stack.program) as one, pulumi_cli.served(other.program) as two:
        other.configure(poolName="other")
        running = [
            each.start("up", "--yes", "--skip-preview", "--stack", each.name, client=client)
            for each, client in ((stack, one), (other, two))
        ]
        outputs = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], outputs
    pools = stack.sandbox.identity.pools
    names = {each.outputs()["identityPoolId"]: each.name for each in (stack, other)}
    assert {pools[pool].config["IdentityPoolName"]: name for pool, name in names.items()} == {
        "notes-sandbox": "engine",
        "other": "other",
    }
    other.run("destroy", "--yes")
    assert list(pools) == [stack.outputs()["identityPoolId"]]
    assert stack.deviations() == []


def test_an_update_that_holds_the_lock_is_not_met_by_a_second_one(stack: Stack) -> None:
    with pulumi_cli.served(stack.program) as client:
        holds, goes_on = threading.Event(), threading.Event()

        def hold(_: str) -> None:
            holds.set()
            goes_on.wait(120)

        stack.before_call = hold
        first = stack.start("up", "--yes", "--skip-preview", "--stack", stack.name, client=client)
        assert holds.wait(120)
        output = stack.run("up", "--yes", "--skip-preview", fails=True)
        goes_on.set()
        first.communicate(timeout=120)
    assert "lock" in output
    assert first.returncode == 0
    assert len(stack.sandbox.identity.pools) == 1


def test_an_update_that_aws_fails_goes_on_from_there_and_the_pool_never_lacks_a_role(stack: Stack) -> None:
    def fail(operation: str) -> None:
        if operation == "SetIdentityPoolRoles":
            raise AwsError("LimitExceededException", "on a bad day", 400)

    stack.up(pack=False)
    stack.before_call = fail
    output = stack.up(pack=False, fails=True, guests=GUESTS)
    assert "on a bad day" in output
    assert set(stack.pool().roles) == {"authenticated"}
    stack.before_call = lambda _: None
    stack.up(pack=False, guests=GUESTS)
    assert set(stack.pool().roles) == {"authenticated", "unauthenticated"}
    assert all("authenticated" in roles for roles in stack.roles_seen)
