"""The command `identity-sandbox`: `up` and `serve` of a stack; `serve` of a template, or of a pool to try things out."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from ..aws.regions import is_region
from ..aws.server import Sandbox
from ..errors import CommandError, InputError
from ..scenario import account, default_pool, templates
from . import quickstart
from .host import PORT, forget_aws, port


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a supervisor's Ctrl-C
    try:
        if list(arguments[:1]) != ["serve"] or (Path("Pulumi.yaml").exists() and "--template" not in arguments):
            return _stacks(arguments)
        return _serve(_parser().parse_args(arguments[1:]))
    except CommandError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _stacks(arguments: Sequence[str]) -> int:
    try:
        from . import commands
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith(("pulumi", "grpc", "google")):
            raise
        print("error: stacks need Pulumi: pip install 'identity-sandbox[pulumi]'", file=sys.stderr)
        return 2
    project = Path.cwd()
    sys.path.insert(0, str(project))  # as Pulumi does
    return commands.main(arguments, project)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="identity-sandbox serve",
        description="Serve an AWS simulator with one identity pool until Ctrl-C. In a Pulumi project's folder: its stack.",
    )
    parser.add_argument(
        "--template", metavar="PATH", action="append", default=[], help="CloudFormation, or `terraform show -json`"
    )
    parser.add_argument("--parameter", metavar="NAME=VALUE", action="append", default=[], help="of a template")
    parser.add_argument("--region", default="us-east-1", help="where a template is deployed (default: us-east-1)")
    parser.add_argument("--port", type=port, default=PORT, help=f"port on 127.0.0.1; 0 chooses one (default: {PORT})")
    return parser


def _serve(options: argparse.Namespace) -> int:
    forget_aws()
    if not is_region(options.region):
        raise InputError(f"`{options.region}` is not a region of AWS")
    pairs = [text.partition("=") for text in options.parameter]
    with Sandbox(options.port).running() as sandbox:
        if options.template:
            parameters = {name: value for name, _, value in pairs}
            setup = templates.create(sandbox, options.template, options.region, parameters)
        else:
            setup = default_pool.create(sandbox, options.region)
        account.sign_up(sandbox, setup.user_pool, setup.client, "alice")
        app = account.AppConfig(
            setup.region,
            ((setup.user_pool, (setup.client,)),),
            setup.bucket,
            "",
            setup.api,
            setup.region,
            setup.stage,
        )
        outputs = {"identityPoolId": setup.identity_pool, "logins": [setup.provider]}
        print(quickstart.text(sandbox.endpoint, app, outputs, None))
        keys = f"AWS_ACCESS_KEY_ID={sandbox.admin_key} AWS_SECRET_ACCESS_KEY={sandbox.admin_secret}"
        print(f"The account's administrator:\n  export AWS_ENDPOINT_URL={sandbox.endpoint} {keys}\n")
        print("Ctrl-C stops the sandbox.", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print("\nstopped; the sandbox keeps no data")
    return 0
