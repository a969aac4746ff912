"""`make up ENGINE=pulumi`: the engine deploys what the in-process run deploys, with the same output and exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.aws.errors import AwsError
from sandbox.aws.http import Response
from sandbox.aws.identity_pools import IdentityPools
from sandbox.aws.server import Sandbox
from sandbox.cli.commands import main
from sandbox.engine import pulumi_cli, stack_files
from sandbox.engine.cli_deployment import CliDeployment, EngineFailed, ProgramFailed
from sandbox.scenario import account, prerequisites
from tests.conftest import ROOT


def up(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sandbox", "up", "--engine", "pulumi", *options]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
    )


def by_both(capsys: pytest.CaptureFixture[str], *options: str) -> list[tuple[int, str, str]]:
    """Exit code, output and problems of the in-process run and of the engine, without what a run chooses at random."""
    results = []
    for engine in ("in-process", "pulumi"):
        code = main(["up", "--engine", engine, *options])
        output, problems = (re.sub("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID", t) for t in capsys.readouterr())
        results.append((code, re.sub("-[0-9a-f]{7}\\b", "-SUFFIX", output), problems))
    return results


@pytest.mark.parametrize("stack", ["dev", "staging", "prod"])
def test_the_engine_deploys_what_the_in_process_run_deploys(
    binary: Path, capsys: pytest.CaptureFixture[str], stack: str
) -> None:
    (code, output, _), by_engine = by_both(capsys, "--json", "--stack", stack)
    assert (by_engine[0], json.loads(by_engine[1])) == (code, json.loads(output))
    assert code == 0


def test_a_violation_ends_both_alike(binary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (code, output, problems), by_engine = by_both(capsys, "--profile", "guide")
    assert (by_engine[0], by_engine[2]) == (code, problems)
    assert code == 1
    assert sorted(re.findall(r"    \S.*", by_engine[1])) == sorted(re.findall(r"    \S.*", output))


def test_without_a_cli_one_line_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pulumi_cli, "BUILT", tmp_path / "none")
    monkeypatch.setenv("PATH", str(tmp_path))
    oldest = ".".join(map(str, pulumi_cli.minimum_version()))
    needed = f"error: the Pulumi CLI {oldest} or newer is required, and"
    advice = "install it (https://www.pulumi.com/docs/install/), or build it with Go: make engine\n"
    found = tmp_path / "pulumi"
    for script, reason in (
        (None, "is not installed"),
        ("echo v3.100.0", f"`{found}` is version 3.100.0"),
        ("exit 3", f"`{found}` does not run"),
    ):
        if script is not None:
            found.write_text(f"#!/bin/sh\n{script}\n")
            found.chmod(0o755)
        assert main(["up", "--engine", "pulumi"]) == 2
        assert capsys.readouterr().err == f"{needed} {reason}; {advice}"


def test_what_aws_refuses_is_reported(
    binary: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = IdentityPools.answer

    def answered(self: Any, operation: Any, session: Any) -> Response:
        if operation.name == "SetIdentityPoolRoles":
            raise AwsError("InvalidParameterException", "on a bad day", 400)
        return answer(self, operation, session)

    monkeypatch.setattr(IdentityPools, "answer", answered)
    for engine in ("in-process", "pulumi"):
        assert main(["up", "--engine", engine]) == 1
        problem = capsys.readouterr().err
        assert problem.startswith("error: the deployment failed: ")
        assert "on a bad day" in problem
        assert "Traceback" not in problem


def _deployed(binary: Path, main_: Path = ROOT / "__main__.py", **changes: Any) -> None:
    files = stack_files.read(ROOT, "dev", {f"scoped-identity:{key}": value for key, value in changes.items()})
    with Sandbox().running() as sandbox:
        app = account.read_app(files.app_config())
        account.build(sandbox, app)
        prerequisites.create_prerequisites(sandbox, app, files.app_config())
        with CliDeployment(binary, sandbox, main_, files, {}) as deployment:
            deployment.up(None, lambda type_, name: None)


def test_what_the_program_refuses_once_the_pool_exists_is_an_error_of_the_config(binary: Path) -> None:
    trust = {"Version": "2012-10-17", "Statement": []}
    arn = "arn:aws:iam::123456789012:role/own"
    with pytest.raises(ProgramFailed, match=r"^authenticated\.trust: must trust `cognito-identity\.amazonaws\.com`"):
        _deployed(binary, authenticated={"role": arn, "trust": json.dumps(trust)})


def test_an_engine_that_fails_is_one_line(binary: Path, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text('name: scoped-identity\nruntime: python\nrequiredPulumiVersion: ">=99.0.0"\n')
    with pytest.raises(EngineFailed, match=r"99\.0\.0") as failure:
        _deployed(binary, tmp_path / "__main__.py")
    assert "\n" not in str(failure.value)


def test_nothing_of_the_users_pulumi_settings_is_read(binary: Path, tmp_path: Path) -> None:
    """Nor does it matter that the temporary folder's name needs quotes, or that there is no home."""
    odd = tmp_path / "it's $HOME & 100%41"
    odd.mkdir()
    settings = dict.fromkeys(
        ("PULUMI_BACKEND_URL", "PULUMI_HOME", "PULUMI_STACK", "AWS_ENDPOINT_URL"), "http://nowhere.invalid"
    )
    done = up("--json", TMPDIR=str(odd), HOME="/nonexistent", PULUMI_CONFIG_PASSPHRASE_FILE="/nonexistent", **settings)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["ok"] is True
    assert list(odd.iterdir()) == []


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_ends_the_engine_as_well(binary: Path, tmp_path: Path, stop: signal.Signals) -> None:
    command = [sys.executable, "-u", "-m", "sandbox", "up", "--engine", "pulumi"]
    ready = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731 as in test_commands
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=ready,
    ) as process:
        assert process.stdout is not None
        output = ""
        for line in process.stdout:
            output += line
            if "+ aws:" in line:
                process.send_signal(stop)
                break
        output += process.stdout.read()
    assert output.endswith("stopped\n"), output
    assert process.returncode == 130
    assert list(tmp_path.iterdir()) == []
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(tmp_path) not in running
