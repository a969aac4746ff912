"""The real engine on this project's program, under its pack, against the sandbox's provider.

The program and the provider run in this process, and the pack as an executable file; see `sandbox/engine/pulumi_cli.py`.
That the engine starts the provider itself is tried in `test_up.py` and `test_recovery.py`. The state is in a temporary
folder. Nothing leaves this machine.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.aws.http import Response
from sandbox.aws.server import Sandbox
from sandbox.aws.service import Operation
from sandbox.aws.sessions import Session
from sandbox.engine import pulumi_cli
from sandbox.engine.pulumi_cli import PulumiCli
from sandbox.provider import plugin
from sandbox.scenario import account, prerequisites
from sandbox.scenario.access_checks import AccessChecks
from sandbox.scenario.attempts import Person
from tests.conftest import ROOT

EXAMPLE = "Pulumi.sandbox.yaml.example"
REGION = "us-east-1"
POOL = "us-east-1_NotesDev1"
CLIENT = "1h57kf5cpq17m0eml12notesde"
GUESTS = {"reason": "Visitors look around before they sign up."}
GUESTS_DECLARED = {"guests-are-declared": {"guests": [{"pool": "notes-sandbox", "reason": GUESTS["reason"]}]}}


needs_yaml = pytest.mark.skipif(
    pulumi_cli.language_host("yaml") is None, reason="there is no language host for YAML; `make engine` builds it"
)


class Stack:
    """The stack `sandbox` of this project, with some of its settings changed, and the pack beside it.

    Attributes:
        roles_seen: the roles of every identity pool, after every call of the identity service.
        operations: the operations of the identity service that were called.
        before_call: is called with the name of each before it is answered.
    """

    def __init__(self, cli: PulumiCli, sandbox: Sandbox, folder: Path, name: str = "engine") -> None:
        self.cli = cli
        self.sandbox = sandbox
        self.name = name
        self.folder = folder
        self.project = folder / f"project-{name}"
        self.project.mkdir()
        shutil.copy(ROOT / "Pulumi.yaml", self.project)
        self.pack = pulumi_cli.pack_executable(self.project)
        self.program: pulumi_cli.Program = pulumi_cli.file_program(ROOT / "__main__.py")
        self.roles_seen: list[dict[str, str]] = []
        self.operations: list[str] = []
        self.before_call: Callable[[str], None] = lambda _: None
        self.configure()
        self.run("stack", "init", name)
        self._watch()

    def settings(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        config: dict[str, Any] = yaml.safe_load((ROOT / EXAMPLE).read_text(encoding="utf-8"))["config"]
        services = ("cognitoidentity", "cognitoidp", "iam", "s3", "sts")
        config["aws:endpoints"] = [dict.fromkeys(services, self.sandbox.endpoint)]
        return {**config, **{f"scoped-identity:{key}": value for key, value in changes.items()}}

    def configure(self, **changes: Any) -> None:
        """Replace the stack's config: the sandbox's, with these settings changed."""
        file = self.project / f"Pulumi.{self.name}.yaml"
        salt = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}
        file.write_text(yaml.safe_dump({**salt, "config": self.settings(changes)}), encoding="utf-8")

    def start(self, *command: str, client: str | None = None) -> subprocess.Popen[str]:
        return self.cli.start(self.project, *command, client=client)

    def run(self, *command: str, fails: bool = False, program: bool = True) -> str:
        """Run a command of the CLI on this stack; its output."""
        if command[0] not in ("stack", "policy", "package", "plugin", "install"):
            command = (*command, "--stack", self.name)
        with ExitStack() as stack:
            client = stack.enter_context(pulumi_cli.served(self.program)) if program else None
            running = self.start(*command, client=client)
            output, _ = running.communicate(timeout=300)
        assert (running.returncode != 0) is fails, output
        return output

    def up(self, *options: str, fails: bool = False, pack: bool = True, **changes: Any) -> str:
        """Deploy under the pack, with these settings."""
        self.configure(**changes)
        self.roles_seen.clear()
        self.operations.clear()
        return self.run("up", "--yes", "--skip-preview", *self._packed(pack), *options, fails=fails)

    def preview(self, *options: str, fails: bool = False, pack: bool = True, **changes: Any) -> str:
        self.configure(**changes)
        return self.run("preview", *self._packed(pack), *options, fails=fails)

    def _packed(self, pack: bool) -> tuple[str, ...]:
        return ("--policy-pack", str(self.pack)) if pack else ()

    def pack_config(self, config: Mapping[str, Any]) -> tuple[str, str]:
        """The option that configures the pack."""
        file = self.project / "pack.json"
        file.write_text(json.dumps(config), encoding="utf-8")
        return ("--policy-pack-config", str(file))

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, as the state has them."""
        root = next((r for r in self.state() if r["type"] == "pulumi:pulumi:Stack"), {})
        return dict(root.get("outputs") or {})

    def state(self) -> list[dict[str, Any]]:
        """The resources of the state, from the backend's file: starting the CLI for it takes longer."""
        project = yaml.safe_load((self.project / "Pulumi.yaml").read_text(encoding="utf-8"))["name"]
        file = self.folder / ".pulumi" / "stacks" / project / f"{self.name}.json"
        checkpoint = json.loads(file.read_text(encoding="utf-8"))["checkpoint"]
        return list((checkpoint.get("latest") or {}).get("resources") or [])

    def urn(self, type_: str, name: str = "users") -> str:
        """A resource's URN, by the last part of its type."""
        return next(
            str(r["urn"]) for r in self.state() if r["type"].endswith(f":{type_}") and r["urn"].endswith(f"::{name}")
        )

    def client(self, service: str) -> Any:
        return self.sandbox.client(service, REGION)

    def role_names(self) -> list[str]:
        """Names of the account's roles."""
        return [role["RoleName"] for role in self.client("iam").list_roles()["Roles"]]

    def pool(self) -> Any:
        """The only identity pool, as AWS has it."""
        (pool,) = self.sandbox.identity.pools.values()
        return pool

    def role(self, kind: str = "authenticated") -> str:
        """Name of a role that the pool vends."""
        return str(self.pool().roles[kind]).rpartition("/")[2]

    def deviations(self, **changes: Any) -> list[str]:
        """What users try that does not end as it should, in the app that these settings describe."""
        outputs = self.outputs()
        app = account.read_app(app_config(changes))
        pool, login = outputs["identityPoolId"], outputs["logins"][0]
        checks = AccessChecks(self.sandbox, app, OFF_LIMITS[id(self.sandbox)], pool, login)
        return [f"{row.who}: {row.tries}: {row.got}" for row in checks.rows() if not row.ok]

    def person(self, name: str, **changes: Any) -> Person:
        """A user who signed up and in."""
        outputs = self.outputs()
        app = account.read_app(app_config(changes))
        pool, login = outputs["identityPoolId"], outputs["logins"][0]
        return AccessChecks(self.sandbox, app, OFF_LIMITS[id(self.sandbox)], pool, login).sign_in(name)

    def _watch(self) -> None:
        answer = self.sandbox.identity.answer

        def watched(operation: Operation, session: Session | None) -> Response:
            self.operations.append(operation.name)
            self.before_call(operation.name)
            response = answer(operation, session)
            self.roles_seen += [dict(pool.roles) for pool in self.sandbox.identity.pools.values()]
            return response

        self.sandbox.identity.answer = watched  # type: ignore[method-assign]


OFF_LIMITS: dict[int, account.OffLimits] = {}


def app_config(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The sandbox's settings with some changed, as the scenario reads them."""
    config = yaml.safe_load((ROOT / EXAMPLE).read_text(encoding="utf-8"))["config"]
    settings = {
        key.removeprefix("scoped-identity:"): value
        for key, value in config.items()
        if key.startswith("scoped-identity:")
    }
    return {**settings, **changes, "region": REGION}


@pytest.fixture(scope="session")
def binary() -> Path:
    """The CLI; a test without it is skipped, and `make engine` gets it."""
    path = pulumi_cli.installed()
    if path is None:
        pytest.skip("there is no Pulumi CLI; `make engine` builds one")
    return path


@contextmanager
def in_sandbox(
    binary: Path, folder: Path, *, attached: bool = True, sandbox: Sandbox | None = None, **settings: Any
) -> Iterator[Stack]:
    """A stack in a sandbox that has what these settings name.

    Args:
        attached: the engine uses a provider of this process, and starts none.
        sandbox: one that is not running yet.
    """
    config = app_config(settings)
    with (sandbox or Sandbox()).running() as sandbox:
        app = account.read_app(config)
        OFF_LIMITS[id(sandbox)] = account.build(sandbox, app)
        prerequisites.create_prerequisites(sandbox, app, config)
        keys = {"AWS_ACCESS_KEY_ID": sandbox.admin_key, "AWS_SECRET_ACCESS_KEY": sandbox.admin_secret}
        cli = PulumiCli(binary, folder, keys)
        with ExitStack() as ending:
            if attached:
                server, port = plugin.serve(keys)
                ending.callback(server.stop, None)
                cli.environment["PULUMI_DEBUG_PROVIDERS"] = f"aws:{port}"
            yield Stack(cli, sandbox, folder)


@pytest.fixture
def stack(binary: Path, tmp_path: Path) -> Iterator[Stack]:
    with in_sandbox(binary, tmp_path) as running:
        yield running


@pytest.fixture
def own_provider(binary: Path, tmp_path: Path) -> Iterator[Stack]:
    """A stack whose provider the engine starts itself, from PATH."""
    with in_sandbox(binary, tmp_path, attached=False) as running:
        yield running
