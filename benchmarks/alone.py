"""`python -m benchmarks.alone PROGRAM CONFIG`: runs a program once against the SDK's own mocks, and nothing else."""

from __future__ import annotations

import asyncio
import json
import runpy
import sys
from typing import Any

import pulumi
from pulumi.runtime import mocks, set_all_config
from pulumi.runtime.stack import run_pulumi_func


class Answers(mocks.Mocks):
    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        return f"{args.name}-id", dict(args.inputs)

    def call(self, args: mocks.MockCallArgs) -> Any:
        return {"region": "us-east-1", "accountId": "123456789012"}


async def run(program: str, config: dict[str, str]) -> None:
    pulumi.runtime.set_mocks(Answers(), "scoped-identity", "dev", False)
    set_all_config(config)
    await run_pulumi_func(lambda: runpy.run_path(program, run_name="__main__"))  # type: ignore[arg-type, return-value]


if __name__ == "__main__":
    sys.path.insert(0, ".")
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(run(sys.argv[1], json.loads(sys.argv[2])))
