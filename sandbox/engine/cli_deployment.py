"""Deploy a stack by the Pulumi CLI, once, into a sandbox in which none of its resources exists.

It does what `in_process.run` does, by the engine itself: the same program, config and policy pack. The CLI gets a project,
a state and a home in a temporary folder, and reads nothing of the user's Pulumi settings.
"""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..aws.server import Sandbox
from ..errors import CommandError
from .policy_gate import PolicyViolation
from .policy_pack import Diagnostic
from .pulumi_cli import PulumiCli, file_program, pack_executable, served
from .stack_files import StackFiles
from .strict_yaml import read_yaml

SERVICES = ("apigateway", "cognitoidentity", "cognitoidp", "iam", "s3", "sts")
LOCAL = "organization"
"""The only organization of a state in a folder; a reference to a stack of another one is a reference to this one."""

POLL_SECONDS = 0.05
STOP_SECONDS = 10

PackConfig = Mapping[str, Mapping[str, Any]]
Announce = Callable[[str, str], None]


class EngineFailed(CommandError):
    """The engine did not deploy the stack."""


class ProgramFailed(CommandError):
    """The program stopped the deployment; one line for each problem."""


class CliDeployment:
    """A stack that the CLI deploys; the temporary folder exists until the block ends.

    Args:
        binary: the CLI.
        main: the program's file.
        stack_outputs: outputs of other stacks, by `ORGANIZATION/PROJECT/STACK`.

    Attributes:
        advisories: the findings of advisory rules.
    """

    def __init__(
        self,
        binary: Path,
        sandbox: Sandbox,
        main: Path,
        files: StackFiles,
        stack_outputs: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self.advisories: list[Diagnostic] = []
        self._main = main
        self._files = files
        self._stack_outputs = stack_outputs
        self._endpoint = sandbox.endpoint
        self._temporary = tempfile.TemporaryDirectory(prefix="scoped-identity-", ignore_cleanup_errors=True)
        self._folder = Path(self._temporary.name).resolve()
        keys = {"AWS_ACCESS_KEY_ID": sandbox.admin_key, "AWS_SECRET_ACCESS_KEY": sandbox.admin_secret}
        # The option --event-log is one of the CLI's commands for debugging; the Automation API uses it as well.
        self._cli = PulumiCli(binary, self._folder, {**keys, "PULUMI_DEBUG_COMMANDS": "true"})

    def __enter__(self) -> CliDeployment:
        return self

    def __exit__(self, *_: object) -> None:
        self._temporary.cleanup()

    def up(self, pack: tuple[Path, PackConfig] | None, announce: Announce) -> Mapping[str, Any]:
        """Deploy the stack; its outputs.

        Args:
            pack: the policy pack's folder and its config; None for no pack.
            announce: called with the type and the name of each resource before it is created.

        Raises:
            PolicyViolation: a mandatory rule is violated.
            ProgramFailed: the program stopped the deployment.
            EngineFailed: AWS refused a call, or the engine failed.
        """
        for stack, outputs in self._stack_outputs.items():
            _other_stack(self._cli, self._folder, stack, outputs)
        project = _project(self._folder, self._main.parent / "Pulumi.yaml", self._files, self._endpoint)
        stack = self._files.stack
        _run(self._cli, project, "stack", "init", stack)
        self._update(project, _pack_options(self._folder, pack), announce)
        outputs = json.loads(_run(self._cli, project, "stack", "output", "--json", "--show-secrets", "--stack", stack))
        return dict(outputs)

    def export(self) -> Mapping[str, Any]:
        """The stack's state, with its secrets."""
        project = self._folder / "project"
        return dict(
            json.loads(_run(self._cli, project, "stack", "export", "--show-secrets", "--stack", self._files.stack))
        )

    def _update(self, project: Path, options: Sequence[str], announce: Announce) -> None:
        log, report = project / "events.json", project / "report.txt"
        command = ("up", "--yes", "--skip-preview", "--stack", self._files.stack, "--event-log", str(log), *options)
        events = _Events(announce)
        program_errors: list[str] = []
        with (
            report.open("w", encoding="utf-8") as file,
            served(file_program(self._main), program_errors.append) as client,
            _stopped_at_the_end(self._cli.start(project, *command, client=client, output=file)) as running,
        ):
            for event in _followed(log, running):
                events.add(event)
        self.advisories = [finding for finding in events.findings if not finding.mandatory]
        if running.returncode == 0:
            return
        mandatory = [finding for finding in events.findings if finding.mandatory]
        if mandatory:
            urn = mandatory[0].urn
            raise PolicyViolation(None if urn in events.created else urn, mandatory)
        if program_errors and not events.failed:
            raise ProgramFailed(program_errors[0])
        problem = "\n".join(dict.fromkeys(events.errors)) or _last_line(report.read_text(encoding="utf-8"))
        raise EngineFailed(f"the deployment failed: {problem}")


@dataclass
class _Events:
    """What the engine reports of an update."""

    announce: Announce
    findings: list[Diagnostic] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    created: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)

    def add(self, event: Mapping[str, Any]) -> None:
        if policy := event.get("policyEvent"):
            mandatory = policy["enforcementLevel"] == "mandatory"
            urn = str(policy.get("resourceUrn") or "")
            self.findings.append(Diagnostic(policy["policyName"], mandatory, policy["message"].strip(), urn))
        elif step := event.get("resourcePreEvent"):
            metadata = step["metadata"]
            if (metadata.get("new") or {}).get("custom") and metadata["type"].startswith("aws:"):
                self.announce(metadata["type"], metadata["urn"].rpartition("::")[2])
        elif done := event.get("resOutputsEvent"):
            self.created.add(done["metadata"]["urn"])
        elif failure := event.get("resOpFailedEvent"):
            self.failed.add(failure["metadata"]["urn"])
        elif (error := event.get("diagnosticEvent")) and error["severity"] == "error":
            self.errors.append(error["message"].strip())


def _project(folder: Path, settings: Path, files: StackFiles, endpoint: str) -> Path:
    """A project with the stack's config, as the engine reads them; JSON is YAML."""
    project = folder / "project"
    project.mkdir()
    stated: Any = read_yaml(settings).value
    kept = {key: stated[key] for key in ("requiredPulumiVersion", "config") if key in stated}
    (project / "Pulumi.yaml").write_text(json.dumps({"name": files.project, "runtime": "python", **kept}))
    config = {key: _local(text) for key, text in files.config.items()}
    config["aws:endpoints"] = json.dumps([dict.fromkeys(SERVICES, endpoint)])
    (project / f"Pulumi.{files.stack}.yaml").write_text(json.dumps({"config": config}))
    return project


def _local(text: str) -> str:
    """A config value whose references are to stacks of the local state."""
    head, *rest = text.split("stack://")
    return head + "".join(f"stack://{LOCAL}/{reference.partition('/')[2]}" for reference in rest)


def _other_stack(cli: PulumiCli, folder: Path, stack: str, outputs: Mapping[str, Any]) -> None:
    """Create a stack that the program refers to, with nothing but its outputs."""
    organization, project, name = stack.split("/")
    place = folder / f"{organization}-{project}"
    place.mkdir(exist_ok=True)
    (place / "Pulumi.yaml").write_text(json.dumps({"name": project, "runtime": "python"}))
    _run(cli, place, "stack", "init", name)
    state = json.loads(_run(cli, place, "stack", "export", "--stack", name))
    type_ = "pulumi:pulumi:Stack"
    root = {"urn": f"urn:pulumi:{name}::{project}::{type_}::{project}-{name}", "type": type_, "custom": False}
    state["deployment"]["resources"] = [{**root, "outputs": dict(outputs)}]
    file = place / "state.json"
    file.write_text(json.dumps(state))
    _run(cli, place, "stack", "import", "--stack", name, "--file", str(file))


def _pack_options(folder: Path, pack: tuple[Path, PackConfig] | None) -> list[str]:
    if pack is None:
        return []
    path, config = pack
    file = folder / "pack.json"
    file.write_text(json.dumps(config))
    return ["--policy-pack", str(pack_executable(folder, path)), "--policy-pack-config", str(file)]


def _run(cli: PulumiCli, project: Path, *command: str) -> str:
    """Run a command that needs no program; its output.

    Raises:
        EngineFailed: with the last line of the output.
    """
    with _stopped_at_the_end(cli.start(project, *command, errors=subprocess.PIPE)) as running:
        output, errors = running.communicate()
    if running.returncode:
        raise EngineFailed(f"`pulumi {command[0]} {command[1]}` failed: {_last_line(errors or output)}")
    return output


def _followed(log: Path, running: subprocess.Popen[str]) -> Iterator[Mapping[str, Any]]:
    """The events of a log, as the engine writes them, until it has ended."""
    rest, position = b"", 0
    while True:
        ended = running.poll() is not None
        if log.exists():
            with log.open("rb") as file:
                file.seek(position)
                rest += file.read()
                position = file.tell()
            *lines, rest = rest.split(b"\n")
            yield from map(json.loads, lines)
        if ended:
            return
        time.sleep(POLL_SECONDS)


@contextmanager
def _stopped_at_the_end(running: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """A command that is interrupted when the block is left before it has ended, so that it ends its plugins."""
    try:
        yield running
    finally:
        if running.poll() is None:
            running.send_signal(signal.SIGINT)
            try:
                running.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


def _last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1].removeprefix("error: ") if lines else "it printed nothing"
