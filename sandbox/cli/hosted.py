"""A sandbox for another process, such as a test run: it sets an account up, says what is there, and serves.

The other process writes one line of JSON, what to set up, and reads one, the account or an error. The sandbox ends when its
standard input does, so it never outlives the process that started it, however that ends.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from ..aws.server import Sandbox
from ..errors import CommandError
from ..scenario import default_pool
from ..scenario.setup import Setup
from .host import forget_aws


def main() -> int:
    """Serve one sandbox; returns the exit code."""
    forget_aws()
    answers, sys.stdout = sys.stdout, sys.stderr  # what a program prints is no answer
    try:
        wanted = json.loads(sys.stdin.readline())
        with Sandbox().running() as sandbox:
            setup = _set_up(sandbox, wanted)
            _answer(
                answers,
                {"endpoint": sandbox.endpoint, "keys": [sandbox.admin_key, sandbox.admin_secret]} | setup.as_json(),
            )
            for line in sys.stdin:
                _answer(answers, _ask(sandbox, json.loads(line)))
    except CommandError as error:
        _answer(answers, {"error": str(error)})
        return error.exit_code
    except KeyboardInterrupt:
        pass  # the other process decides when this one ends
    return 0


def _answer(stream: TextIO, value: Mapping[str, Any]) -> None:
    print(json.dumps(value, default=str), file=stream, flush=True)


def _set_up(sandbox: Sandbox, wanted: Mapping[str, Any]) -> Setup:
    region = wanted.get("region") or "us-east-1"
    if "templates" in wanted:
        from ..scenario import templates

        return templates.create(sandbox, wanted["templates"], region, wanted.get("parameters"))
    if "project" in wanted:
        from .stacks import deploy

        return deploy(sandbox, Path(wanted["project"]), wanted["stack"], wanted.get("buckets") or [])
    return default_pool.create(sandbox, region)


def _ask(sandbox: Sandbox, question: Mapping[str, Any]) -> dict[str, Any]:
    """The last code that a user got by e-mail."""
    codes = [code for name, code in sandbox.user_pools.messages if name == question["code_of"]]
    return {"code": codes[-1] if codes else None}


if __name__ == "__main__":
    sys.exit(main())
