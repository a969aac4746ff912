"""The pack takes Pulumi's messages without the SDK around them, and leaves the SDK whole for whoever imports it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import ROOT


def told(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT / "policies", capture_output=True, text=True, check=True
    )
    return done.stdout


def test_the_pack_starts_without_the_sdk() -> None:
    script = "import sys, identity_scope.pack.crossguard; print([name for name in sys.modules if 'pulumi' in name])"
    modules = told(script)
    assert "pulumi.runtime.proto.analyzer_pb2" in modules
    assert "'pulumi'" not in modules
    assert "pulumi.runtime.settings" not in modules


@pytest.mark.parametrize(
    "imports",
    [
        "import identity_scope.pack.crossguard, pulumi, pulumi_policy",
        "import pulumi, pulumi_policy, identity_scope.pack.crossguard",
    ],
)
def test_both_share_the_messages(imports: str) -> None:
    script = f"""
{imports}
from identity_scope.pack.sdk import protocol
from pulumi.runtime.proto import analyzer_pb2
assert analyzer_pb2 is protocol
assert pulumi.Output.from_input(1) is not None
assert pulumi_policy.PolicyPack
assert pulumi.runtime.settings.Settings
"""
    assert told(script) == ""
