"""`python -m sandbox up` and `serve`: deploy a stack into the sandbox, and show what its users can do.

Exit codes: 0, every attempt ended as expected; 1, an attempt did not, or the deployment failed; 2, the input is wrong and
nothing was created.
"""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pulumi
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from ..aws.server import Sandbox
from ..engine import in_process, pulumi_cli, stack_files
from ..engine.cli_deployment import CliDeployment, ProgramFailed
from ..engine.in_process import Registration, Run, Watcher
from ..engine.policy_gate import PolicyGate, PolicyViolation
from ..engine.policy_pack import Analyzer
from ..engine.report import NoPage, exported, write_page
from ..engine.stack_files import StackFiles
from ..errors import CommandError, InputError
from ..scenario import account, prerequisites
from ..scenario.access_checks import AccessChecks
from ..scenario.account import AppConfig, OffLimits, UnknownRegion
from . import quickstart
from .host import PORT, forget_aws, port
from .terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
PACK = ROOT / "policies"
PAGES = ".sandbox"
"""Where in a project the page of each stack is that was deployed."""

PackConfig = Mapping[str, Mapping[str, Any]]
"""The policy pack's config, by rule, as `--policy-pack-config` takes it."""
StackOutputs = Mapping[str, Mapping[str, Any]]
"""Outputs of other stacks, by `ORGANIZATION/PROJECT/STACK`."""


class ConfigRefused(InputError):
    """The program refuses the stack's config; one line for each problem."""

    def __init__(self, stack: str, problems: str) -> None:
        lines = "\n".join(f"  {line}" for line in problems.splitlines())
        super().__init__(f"the config of the stack `{stack}` is not valid; nothing was created\n{lines}")


class PackConfigError(InputError):
    """The file of `--policy-pack-config` cannot be read."""


class DeploymentFailed(CommandError):
    """AWS refused a call, or did not answer; or the policy pack stopped the deployment."""


def main(arguments: Sequence[str] | None = None, project: Path | None = None) -> int:
    """Run the command line; returns the exit code.

    Args:
        project: the folder of Pulumi.yaml; this project's by default.
    """
    options = _parser().parse_args(arguments)
    forget_aws()
    terminal = Terminal(quiet=getattr(options, "json", False))
    try:
        files = stack_files.read(project or ROOT, options.stack, _changes(options))
        pack = _pack_config(options.policy_pack_config) if options.pack else None
        engine = pulumi_cli.required() if options.engine == "pulumi" else None
        if options.command == "serve":
            return _serve(files, options.port, pack, engine, terminal)
        return _up(files, options.json, pack, engine, terminal)
    except CommandError as error:
        terminal.problem(f"error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        terminal.problem("stopped")
        return 130
    except OSError as error:
        return terminal.cannot_write(error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="Deploy a stack into an AWS simulator in this process. Nothing leaves this machine.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="deploy the stack, sign in two users, and show what they can and cannot do")
    up.add_argument("--json", action="store_true", help="print the outputs and the attempts as JSON, and nothing else")
    serve = commands.add_parser("serve", help="deploy the stack, and serve it to a front end until Ctrl-C")
    serve.add_argument(
        "--port", type=port, default=PORT, help=f"port on 127.0.0.1; 0 chooses a free one (default: {PORT})"
    )
    for command in (up, serve):
        command.add_argument("--stack", default="dev", help="the stack to deploy (default: dev)")
        command.add_argument(
            "--profile",
            choices=["least-privilege", "guide"],
            help="permissions of the roles; overrides the setting of the stack",
        )
        command.add_argument(
            "--policy-pack-config", metavar="FILE", type=Path, help="JSON file with the policy pack's config"
        )
        command.add_argument(
            "--engine",
            choices=["in-process", "pulumi"],
            default="in-process",
            help="what deploys the stack: a run in this process, or the Pulumi CLI (default: in-process)",
        )
        command.add_argument(
            "--no-pack",
            dest="pack",
            action="store_false",
            help="deploy without the policy pack, to see what users can do that the pack prevents",
        )
    return parser


def _pack_config(path: Path | None) -> PackConfig:
    """Raises: PackConfigError."""
    if path is None:
        return {}
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PackConfigError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise PackConfigError(f"{path}: must be a JSON file") from None
    if not isinstance(config, dict) or not all(isinstance(settings, dict) for settings in config.values()):
        raise PackConfigError(f"{path}: must be an object with the settings of each rule: {{RULE: {{…}}}}")
    return config


def _changes(options: argparse.Namespace) -> dict[str, object]:
    return {"scoped-identity:profile": options.profile} if options.profile else {}


@contextmanager
def _as_command_errors(stack: str) -> Iterator[None]:
    """Report what the program or AWS refuses as a CommandError."""
    try:
        yield
    except (pulumi.RunError, ProgramFailed, UnknownRegion) as error:
        raise ConfigRefused(stack, str(error)) from None
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        raise DeploymentFailed(f"the deployment failed: {error}") from None


class Deployed(NamedTuple):
    """A stack's outputs, and the stack as `pulumi stack export` writes it."""

    outputs: Mapping[str, Any]
    export: Mapping[str, Any]


def _deploy(
    sandbox: Sandbox, files: StackFiles, pack: PackConfig | None, engine: Path | None, terminal: Terminal
) -> tuple[AppConfig, OffLimits, Deployed]:
    """Deploy a stack by the engine, or by the in-process run if there is none."""
    resolved = account.resolve_references(files.app_config())
    with terminal.step("checking the stack's config"), _as_command_errors(files.stack):
        checked = in_process.check(files.main, files.project, files.stack, files.config, resolved.stack_outputs)
        app = account.read_app(resolved.config)
    with terminal.step("creating the resources that the stack refers to"), _as_command_errors(files.stack):
        off_limits = account.build(sandbox, app)
        prerequisites.create_prerequisites(sandbox, app, resolved.config)
    try:
        if engine is None:
            deployed = _run_in_process(sandbox, files, resolved.stack_outputs, pack, terminal)
        else:
            deployed = _run_engine(engine, sandbox, files, resolved.stack_outputs, pack, terminal)
    except PolicyViolation as violation:
        terminal.violation(violation)
        terminal.hint(checked.outputs.get("packConfig") or {}, pack or {})
        raise DeploymentFailed(violation.summary) from None
    terminal.outputs(deployed.outputs)
    return app, off_limits, deployed


def _run_in_process(
    sandbox: Sandbox, files: StackFiles, stack_outputs: StackOutputs, pack: PackConfig | None, terminal: Terminal
) -> Deployed:
    """Raises: PolicyViolation."""

    def announce(resource: Registration) -> None:
        if resource.custom:
            terminal.resource(resource.type_, resource.name)

    def deploy(watch: Watcher) -> Run:
        with _as_command_errors(files.stack):
            return in_process.run(sandbox, files.main, files.project, files.stack, files.config, watch, stack_outputs)

    if pack is None:
        with terminal.step(f"deploying the stack `{files.stack}` without the policy pack"):
            run = deploy(announce)
        return Deployed(run.outputs, exported(run))
    with terminal.step("starting the policy pack `identity-scope`"):
        analyzer = Analyzer(PACK)
    with analyzer, terminal.step(f"deploying the stack `{files.stack}` under the policy pack"):
        analyzer.configure(pack)
        gate = PolicyGate(analyzer, announce)
        try:
            run = deploy(gate)
            gate.finish(run)
        finally:
            terminal.advisories(gate.advisories)
    return Deployed(run.outputs, exported(run))


def _run_engine(
    engine: Path,
    sandbox: Sandbox,
    files: StackFiles,
    stack_outputs: StackOutputs,
    pack: PackConfig | None,
    terminal: Terminal,
) -> Deployed:
    """Raises: PolicyViolation."""
    version = ".".join(map(str, pulumi_cli.version_of(engine)))
    under = "without the policy pack" if pack is None else "under the policy pack"
    deployment = CliDeployment(engine, sandbox, files.main, files, stack_outputs)
    step = f"deploying the stack `{files.stack}` {under}, with the Pulumi CLI {version}"
    with deployment, terminal.step(step), _as_command_errors(files.stack):
        try:
            outputs = deployment.up(None if pack is None else (PACK, pack), terminal.resource)
            return Deployed(outputs, deployment.export())
        finally:
            terminal.advisories(deployment.advisories)


def _access_checks(sandbox: Sandbox, app: AppConfig, off_limits: OffLimits, outputs: Mapping[str, Any]) -> AccessChecks:
    provider = next(iter(outputs["logins"]), "")
    return AccessChecks(sandbox, app, off_limits, outputs["identityPoolId"], provider)


def _up(files: StackFiles, as_json: bool, pack: PackConfig | None, engine: Path | None, terminal: Terminal) -> int:
    terminal.say(terminal.bold(f"{files.project}: deploying the stack `{files.stack}` into the sandbox"))
    with Sandbox().running() as sandbox:
        app, off_limits, (outputs, export) = _deploy(sandbox, files, pack, engine, terminal)
        with terminal.step("signing in users A and B, and trying what each can do"), _as_command_errors(files.stack):
            rows = list(_access_checks(sandbox, app, off_limits, outputs).rows())
    terminal.say("")
    terminal.table(rows)
    deviations = [row for row in rows if not row.ok]
    page, said = _page(files, export, pack or {})
    if as_json:
        attempts = [{"who": r.who, "tries": r.tries, "expected": r.expected.value, "got": r.got} for r in rows]
        terminal.machine({"ok": not deviations, "outputs": dict(outputs), "attempts": attempts, "page": page})
    if deviations:
        terminal.problem(f"\n{len(deviations)} of {len(rows)} attempts did not end as expected")
        terminal.say(said)
        return 1
    terminal.say(f"\n{len(rows)} of {len(rows)} attempts ended as expected")
    terminal.say(said)
    return 0


def _page(files: StackFiles, export: Mapping[str, Any], config: PackConfig) -> tuple[str | None, str]:
    """The path of the page that shows who reaches what, if it could be written; and what to say of it."""
    page = files.folder / PAGES / f"{files.stack}.html"
    try:
        write_page(export, PACK, config, page)
    except NoPage as error:
        return None, f"There is no page that shows who reaches what: {error}"
    return str(page), f"Who reaches what, as a page: {page.as_uri()}"


def _serve(files: StackFiles, port: int, pack: PackConfig | None, engine: Path | None, terminal: Terminal) -> int:
    with Sandbox(port).running() as sandbox:
        app, off_limits, (outputs, _) = _deploy(sandbox, files, pack, engine, terminal)
        token = None
        with _as_command_errors(files.stack):
            if app.user_pools:
                pool_id, clients = app.user_pools[0]
                tenants = [(app.tenant_claim, "acme")] if app.tenant_claim else []
                account.sign_up(sandbox, pool_id, clients[0], "alice", app.claims, app.groups, tenants)
            elif outputs["logins"]:
                token = _access_checks(sandbox, app, off_limits, outputs).external_token("alice")
        terminal.say(quickstart.text(sandbox.endpoint, app, outputs, token))
        keys = f"AWS_ACCESS_KEY_ID={sandbox.admin_key} AWS_SECRET_ACCESS_KEY={sandbox.admin_secret}"
        terminal.say("To deploy into this sandbox with the Pulumi CLI or the AWS CLI (docs/sandbox.md):")
        terminal.say(f"  export AWS_ENDPOINT_URL={sandbox.endpoint} {keys}\n")
        try:
            terminal.say("Ctrl-C stops the sandbox.")
            threading.Event().wait()
        except KeyboardInterrupt:
            terminal.say("\nstopped; the sandbox keeps no data")
    return 0
