"""A real engine deploys into the sandbox: previews, updates, drift, refusals, recovery, destroy.

Needs the Pulumi CLI with its Python language host on PATH. The provider is the sandbox's own, `sandbox/bin`; the project is
copied to a temporary folder, where the state is kept as well. Nothing leaves this machine.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.aws.server import Sandbox
from sandbox.engine.stack_files import read
from sandbox.scenario import account, prerequisites
from tests.conftest import ROOT

PULUMI = shutil.which("pulumi")
pytestmark = pytest.mark.skipif(
    PULUMI is None, reason="the Pulumi CLI is not on PATH; these tests are for a real engine"
)
EXAMPLE = "Pulumi.sandbox.yaml.example"
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}


def _copy(project: Path) -> None:
    """The program, the component and the pack, run by the interpreter that runs the tests."""
    for name in ("components", "policies"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__", ".*", "venv"))
    for name in ("Pulumi.yaml", "__main__.py"):
        shutil.copy(ROOT / name, project / name)
    for name in ("Pulumi.yaml", "policies/PulumiPolicy.yaml"):
        written = yaml.safe_load((project / name).read_text())
        written["runtime"] = {"name": "python", "options": {"virtualenv": sys.prefix}}
        (project / name).write_text(yaml.safe_dump(written))


class Engine:
    """The CLI on a backend and a stack of its own, against a sandbox."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.project = folder / "project"
        self.pack = ("--policy-pack", str(self.project / "policies"))
        _copy(self.project)
        self._config = folder / "Pulumi.engine.yaml"
        self._settings: dict[str, Any] = yaml.safe_load((ROOT / EXAMPLE).read_text())["config"]
        self._settings["aws:endpoints"] = [
            dict.fromkeys(("cognitoidentity", "cognitoidp", "iam", "s3", "sts"), sandbox.endpoint)
        ]
        self._environment = {
            "HOME": str(folder),
            "PATH": f"{ROOT / 'sandbox' / 'bin'}:{os.environ['PATH']}",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{folder}",
            "PULUMI_CONFIG_PASSPHRASE": "engine",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "AWS_ACCESS_KEY_ID": sandbox.admin_key,
            "AWS_SECRET_ACCESS_KEY": sandbox.admin_secret,
        }
        self.configure()
        self.run("stack", "init", "engine")

    def configure(self, **changes: Any) -> None:
        settings = {**self._settings, **{f"scoped-identity:{key}": value for key, value in changes.items()}}
        self._config.write_text(yaml.safe_dump({"config": settings}))

    def start(self, *command: str) -> subprocess.Popen[str]:
        config = ["--config-file", str(self._config)] if command[0] not in ("stack", "cancel", "package") else []
        arguments = [str(PULUMI), "-C", str(self.project), "--non-interactive", "--color", "never", *command, *config]
        return subprocess.Popen(
            arguments, env=self._environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def run(self, *command: str, fails: bool = False) -> str:
        running = self.start(*command)
        told, _ = running.communicate(timeout=300)
        assert (running.returncode != 0) is fails, told
        return told

    def up(self, *options: str, fails: bool = False) -> str:
        return self.run("up", "--yes", "--stack", "engine", *options, fails=fails)

    def preview(self, *options: str, fails: bool = False) -> str:
        return self.run("preview", "--stack", "engine", *options, fails=fails)

    def outputs(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("stack", "output", "--json", "--stack", "engine"))
        return found

    def roles(self) -> list[str]:
        found = self.sandbox.client("iam", "us-east-1").list_roles()["Roles"]
        return [role["RoleName"] for role in found]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Sandbox().running() as sandbox:
        project = tmp_path / "sandbox"
        project.mkdir()
        shutil.copy(ROOT / "Pulumi.yaml", project)
        shutil.copy(ROOT / EXAMPLE, project / "Pulumi.sandbox.yaml")
        config = read(project, "sandbox").app_config()
        app = account.read_app(config)
        account.build(sandbox, app)
        prerequisites.create_prerequisites(sandbox, app, config)
        yield Engine(tmp_path, sandbox)


def test_preview_up_and_a_second_preview_without_a_change(engine: Engine) -> None:
    assert "to create" in engine.preview(*engine.pack)
    assert engine.sandbox.identity.pools == {}
    engine.up(*engine.pack)
    assert set(engine.outputs()["roleArns"]) == {"authenticated"}
    engine.preview(*engine.pack, "--expect-no-changes")


def test_guests_come_and_go_in_place(engine: Engine) -> None:
    engine.up(*engine.pack)
    pool = engine.outputs()["identityPoolId"]
    engine.configure(guests={"reason": "Visitors look around."})
    engine.up()
    assert engine.outputs()["identityPoolId"] == pool
    assert set(engine.sandbox.identity.pools[pool].roles) == {"authenticated", "unauthenticated"}
    engine.configure()
    engine.up()
    assert engine.outputs()["identityPoolId"] == pool
    assert set(engine.sandbox.identity.pools[pool].roles) == {"authenticated"}


def test_drift_by_hand_is_found_and_mended(engine: Engine) -> None:
    engine.up(*engine.pack)
    (role,) = [name for name in engine.roles() if name.startswith("users-authenticated")]
    iam = engine.sandbox.client("iam", "us-east-1")
    (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(POLICY))
    engine.run("refresh", "--yes", "--expect-no-changes", "--stack", "engine", fails=True)
    engine.up(*engine.pack)
    mended = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    assert mended["Statement"][0]["Sid"] == "OwnFolder"
    engine.preview("--expect-no-changes")


def test_a_widened_program_is_stopped_in_preview_and_before_the_policy_exists(engine: Engine) -> None:
    wide = {"statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::notes-dev-uploads/*"}}
    engine.configure(authenticated={"grants": [wide]})
    told = engine.preview(*engine.pack, fails=True)
    assert "s3-isolated-by-identity" in told
    assert "lets every signed-in identity read another's files" in told
    told = engine.up(*engine.pack, "--skip-preview", fails=True)
    assert "s3-isolated-by-identity" in told
    iam = engine.sandbox.client("iam", "us-east-1")
    for role in engine.roles():
        if role.startswith("users-"):
            assert iam.list_role_policies(RoleName=role)["PolicyNames"] == []


def test_an_update_that_was_killed_is_recovered_by_the_next(engine: Engine) -> None:
    running = engine.start("up", "--yes", "--skip-preview", "--stack", "engine")
    for _ in range(600):
        if engine.sandbox.identity.pools:
            break
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    engine.run("cancel", "--yes", "--stack", "engine")
    engine.up(*engine.pack)
    assert "authenticated" in engine.sandbox.identity.pools[engine.outputs()["identityPoolId"]].roles


def test_secrets_stay_secret_in_the_state(engine: Engine) -> None:
    secret = "exampleExampleExampleExample"
    engine.configure(providers={"twitter": {"consumerKey": "aBcDeFgHiJkLmNoPqRsTuVwXy", "consumerSecret": secret}})
    told = engine.up(*engine.pack)
    assert secret not in told
    assert secret not in engine.run("stack", "export", "--stack", "engine")


def test_destroy_leaves_nothing(engine: Engine) -> None:
    before = engine.roles()
    engine.up(*engine.pack)
    engine.run("destroy", "--yes", "--stack", "engine")
    assert engine.roles() == before
    assert engine.sandbox.identity.pools == {}


def test_a_typescript_program_deploys_the_component(engine: Engine) -> None:
    """The example, as its README says; needs Node.js with its language host, and a registry for npm and pip."""
    if shutil.which("pulumi-language-nodejs") is None or shutil.which("npm") is None:
        pytest.skip("the language host for Node.js is not on PATH")
    example = engine.project / "examples" / "typescript"
    shutil.copytree(ROOT / "examples" / "typescript", example)
    told = engine.run("package", "get-schema", str(engine.project / "components"))
    assert "scoped-identity:index:ScopedIdentityPool" in told
    subprocess.run(["npm", "install", "--silent"], cwd=example, check=True, timeout=300)
    engine.project = example
    engine.run("package", "add", "../../components")
    engine.run("stack", "init", "typescript")
    told = engine.run("up", "--yes", "--stack", "typescript", *engine.pack)
    assert "scoped-identity:index:ScopedIdentityPool" in told
    assert [pool.config["IdentityPoolName"] for pool in engine.sandbox.identity.pools.values()] == ["notes"]
