"""`python -m sandbox up` and `serve`: deploy a stack into the embedded AWS, and show what its users can do.

Exit codes: 0, everything as it should be; 1, a row of the table deviates or the deployment failed; 2, bad input.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from ..aws.server import CannotListen, Sandbox
from ..engine import in_process, stack_files
from ..engine.in_process import Registration, Run, Watcher
from ..engine.policy_gate import PolicyGate, PolicyViolation
from ..engine.policy_pack import Analyzer, AnalyzerFailed
from ..engine.stack_files import StackFileError, StackFiles
from ..provider.resource_type import BrokenAnswer
from ..provider.resources import UnknownType
from ..provider.schema_check import InputsRefused
from ..scenario import account, prerequisites
from ..scenario.access_checks import AccessChecks
from ..scenario.account import AppConfig, OffLimits
from . import quickstart
from .terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]


class _Stopped(Exception):
    """The pack stopped the deployment, and that has been told."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    _forget_aws()
    terminal = Terminal(quiet=getattr(options, "json", False))
    try:
        files = stack_files.read(ROOT, options.stack, _changes(options))
        pack = _pack_config(options.policy_pack_config) if options.pack else None
        if options.command == "serve":
            return _serve(files, options.port, pack, terminal)
        return _up(files, options.json, pack, terminal)
    except StackFileError as error:
        terminal.problem(f"error: {error}")
        return 2
    except pulumi.RunError as error:
        terminal.problem(f"error: the config of stack `{options.stack}` cannot be deployed; nothing was created")
        for line in str(error).splitlines():
            terminal.problem(f"  {line}")
        return 2
    except CannotListen as error:
        terminal.problem(f"error: {error}")
        return 2
    except _Stopped:
        return 1
    except (
        AnalyzerFailed,
        UnknownType,
        BrokenAnswer,
        InputsRefused,
        ClientError,
        BotoCoreError,
        ResponseParserError,
    ) as error:
        terminal.problem(f"error: the deployment failed: {error}")
        return 1
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
    up = commands.add_parser("up", help="deploy, sign two users in, and show what they may and may not do")
    up.add_argument("--json", action="store_true", help="print the outputs and the table as JSON, and nothing else")
    serve = commands.add_parser("serve", help="deploy, and stay up for a front end until Ctrl-C")
    serve.add_argument("--port", type=_port, default=0, help="port on 127.0.0.1 (default: a free one)")
    for command in (up, serve):
        command.add_argument("--stack", default="dev", help="stack whose config is deployed (default: dev)")
        command.add_argument(
            "--profile", choices=["least-privilege", "guide"], help="permission documents, in place of the config's"
        )
        command.add_argument(
            "--policy-pack-config", metavar="FILE", type=Path, help="JSON with the pack's config, as for `pulumi up`"
        )
        command.add_argument(
            "--no-pack",
            dest="pack",
            action="store_false",
            help="leave the policy pack out, to see what users could do with what it would have stopped",
        )
    return parser


def _pack_config(path: Path | None) -> PackConfig:
    """Raises: StackFileError."""
    if path is None:
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StackFileError(f"{path}: {error.strerror}") from None
    except ValueError:
        raise StackFileError(f"{path}: not JSON") from None
    if not isinstance(found, dict) or not all(isinstance(each, dict) for each in found.values()):
        raise StackFileError(f"{path}: must be an object with the config of each rule: {{RULE: {{…}}}}")
    return found


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"`{text}` is not a port: 0 to 65535")
    return int(text)


def _changes(options: argparse.Namespace) -> dict[str, object]:
    return {"scoped-identity:profile": options.profile} if options.profile else {}


def _forget_aws() -> None:
    """Nothing of the host's AWS configuration may reach the sandbox, or the sandbox the host's accounts."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]


PackConfig = Mapping[str, Mapping[str, Any]]
"""By rule, as `--policy-pack-config` takes it."""


def _deploy(
    sandbox: Sandbox, files: StackFiles, pack: PackConfig | None, terminal: Terminal
) -> tuple[AppConfig, OffLimits, Run]:
    main = ROOT / "__main__.py"
    foundation = account.lay_foundation(files.app_config())
    with terminal.step("checking the stack's config"):
        checked = in_process.check(main, files.project, files.stack, files.config, foundation.stack_outputs)
    with terminal.step("making what exists before the stack: user pool, bucket, API"):
        app = account.read_app(foundation.config)
        off_limits = account.build(sandbox, app)
        prerequisites.create_prerequisites(sandbox, app, foundation.config)

    def announce(resource: Registration) -> None:
        if resource.custom:
            terminal.say(f"    + {resource.type_} {resource.name}")

    def deploy(watch: Watcher) -> Run:
        outputs = foundation.stack_outputs
        return in_process.run(sandbox, main, files.project, files.stack, files.config, watch, outputs)

    if pack is not None:
        try:
            run = _under_the_pack(
                deploy, announce, pack, f"deploying the stack `{files.stack}` under the pack", terminal
            )
        except PolicyViolation as violation:
            terminal.violation(violation)
            terminal.hint(checked.outputs.get("packConfig") or {}, pack)
            raise _Stopped from None
    else:
        with terminal.step(f"deploying the stack `{files.stack}` without the pack"):
            run = deploy(announce)
    terminal.outputs(run.outputs)
    return app, off_limits, run


def _under_the_pack(
    deploy: Callable[[Watcher], Run], announce: Watcher, config: PackConfig, what: str, terminal: Terminal
) -> Run:
    with terminal.step("starting the policy pack `identity-scope`"):
        analyzer = Analyzer(ROOT / "policies")
    with analyzer, terminal.step(what):
        analyzer.configure(config)
        enforced = PolicyGate(analyzer, announce)
        try:
            run = deploy(enforced)
            enforced.finish(run)
        finally:
            terminal.advisories(enforced.advisories)
    return run


def _up(files: StackFiles, as_json: bool, pack: PackConfig | None, terminal: Terminal) -> int:
    terminal.say(terminal.bold(f"{files.project}: stack `{files.stack}` into the sandbox"))
    with Sandbox().running() as sandbox:
        app, off_limits, run = _deploy(sandbox, files, pack, terminal)
        access_checks = AccessChecks(
            sandbox, app, off_limits, run.outputs["identityPoolId"], next(iter(run.outputs["logins"]), "")
        )
        with terminal.step("signing A and B up and in, and letting them try"):
            rows = list(access_checks.rows())
    terminal.say("")
    terminal.table(rows)
    wrong = [row for row in rows if not row.ok]
    if as_json:
        table = [{"who": r.who, "tries": r.tries, "expected": r.expected.value, "got": r.got} for r in rows]
        terminal.machine({"ok": not wrong, "outputs": dict(run.outputs), "attempts": table})
    if wrong:
        terminal.problem(f"\n{len(wrong)} of {len(rows)} attempts did not end as they should")
        return 1
    terminal.say(f"\n{len(rows)} of {len(rows)} attempts ended as they should")
    return 0


def _serve(files: StackFiles, port: int, pack: PackConfig | None, terminal: Terminal) -> int:
    with Sandbox(port).running() as sandbox:
        app, off_limits, run = _deploy(sandbox, files, pack, terminal)
        access_checks = AccessChecks(
            sandbox, app, off_limits, run.outputs["identityPoolId"], next(iter(run.outputs["logins"]), "")
        )
        token = None
        if app.user_pools:
            pool_id, clients = app.user_pools[0]
            account.sign_up(sandbox, pool_id, clients[0], "alice", app.claims, app.groups)
        elif run.outputs["logins"]:
            token = access_checks.external_token("alice")
        terminal.say(quickstart.text(sandbox.endpoint, app, run.outputs, token))
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # a supervisor's way to say Ctrl-C
        try:
            keys = f"AWS_ACCESS_KEY_ID={sandbox.admin_key} AWS_SECRET_ACCESS_KEY={sandbox.admin_secret}"
            terminal.say(
                "Whoever deploys into this sandbox, the Pulumi CLI or the AWS CLI, needs its keys (docs/sandbox.md):"
            )
            terminal.say(f"  export AWS_ENDPOINT_URL={sandbox.endpoint} {keys}\n")
            terminal.say("Ctrl-C stops it.")
            threading.Event().wait()
        except KeyboardInterrupt:
            terminal.say("\nstopped; nothing is left behind")
        finally:
            signal.signal(signal.SIGTERM, before)
    return 0
