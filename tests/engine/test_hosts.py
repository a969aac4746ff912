"""Flows that need a language host: `runtime: python` with the pack as a folder, and the TypeScript example."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from sandbox.engine import pulumi_cli
from tests.conftest import ROOT
from tests.engine.conftest import Stack

needs_python = pytest.mark.skipif(
    pulumi_cli.language_host("python") is None, reason="there is no language host for Python (pulumi-language-python)"
)
needs_nodejs = pytest.mark.skipif(
    pulumi_cli.language_host("python") is None or pulumi_cli.language_host("nodejs") is None or not shutil.which("npm"),
    reason="there are no language hosts for Python and Node.js (pulumi-language-nodejs), or no npm",
)


def _copy(project: Path) -> None:
    """The project, whose program and pack are run by the interpreter that runs the tests."""
    _checkout(project)
    for name in ("Pulumi.yaml", "policies/PulumiPolicy.yaml"):
        settings = yaml.safe_load((project / name).read_text())
        settings["runtime"] = {"name": "python", "options": {"virtualenv": sys.prefix}}
        (project / name).write_text(yaml.safe_dump(settings))


def _checkout(project: Path) -> None:
    """The project as it is cloned."""
    ignored = shutil.ignore_patterns("__pycache__", ".*", "venv", "node_modules", "sdks")
    for name in ("components", "policies", "examples"):
        shutil.copytree(ROOT / name, project / name, ignore=ignored)
    for name in ("Pulumi.yaml", "__main__.py", "requirements.txt"):
        shutil.copy(ROOT / name, project / name)


def _install_provider(stack: Stack) -> None:
    """The sandbox's provider as an installed plugin: what a component requires is installed, not looked for on PATH."""
    folder = Path(stack.cli.environment["PULUMI_HOME"]) / "plugins" / f"resource-aws-v{version('pulumi-aws')}"
    folder.mkdir(parents=True)
    plugin = folder / "pulumi-resource-aws"
    plugin.write_text(f'#!/bin/sh\nexec "{ROOT}/sandbox/bin/pulumi-resource-aws" "$@"\n')
    plugin.chmod(0o755)


@needs_python
def test_the_program_and_the_packs_folder_run_by_the_cli_alone(own_provider: Stack) -> None:
    stack = own_provider
    _copy(stack.project)
    stack.configure()
    output = stack.run("up", "--yes", "--skip-preview", "--policy-pack", str(stack.project / "policies"), program=False)
    assert "identity-scope" in output
    assert stack.deviations() == []
    wide = {"statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::notes-dev-uploads/*"}}
    stack.configure(authenticated={"grants": [wide]})
    output = stack.run("preview", "--policy-pack", str(stack.project / "policies"), program=False, fails=True)
    assert "s3-isolated-by-identity" in output


@needs_python
def test_install_sets_up_the_program_and_the_pack(own_provider: Stack) -> None:
    """The commands of the README, from a clone to a preview; the provider is the sandbox's, and already installed."""
    stack = own_provider
    _checkout(stack.project)
    _install_provider(stack)
    commands = re.findall(r"^(?:\(cd (\w+) && )?pulumi (install)\)?\s", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert commands == [("", "install"), ("policies", "install")]
    for folder, command in commands:
        done = stack.cli.start(stack.project / folder, command)
        output, _ = done.communicate(timeout=500)
        assert done.returncode == 0, output
        assert (stack.project / folder / "venv" / "bin" / "python").exists()
    stack.configure()
    output = stack.run("preview", "--policy-pack", str(stack.project / "policies"), program=False)
    assert "10 to create" in output


@needs_nodejs
def test_the_typescript_example_deploys_as_its_readme_says(own_provider: Stack) -> None:
    stack = own_provider
    _copy(stack.project)
    pack = stack.project / "policies"
    stack.project /= "examples/typescript"
    _install_provider(stack)
    subprocess.run(["npm", "install", "--silent"], cwd=stack.project, check=True, timeout=300)
    stack.run("package", "add", "../../components", program=False)
    subprocess.run(["npx", "tsc", "--noEmit"], cwd=stack.project, check=True, timeout=300)
    stack.run("stack", "init", stack.name)
    provider = {key: value for key, value in stack.settings({}).items() if key.startswith("aws:")}
    config = {"config": {**provider, "aws:region": "eu-west-1"}}
    (stack.project / f"Pulumi.{stack.name}.yaml").write_text(yaml.safe_dump(config))
    stack.run("up", "--yes", "--policy-pack", str(pack), program=False)
    assert stack.pool().config["IdentityPoolName"] == "notes"
    assert stack.outputs()["identityPoolId"].startswith("eu-west-1:")
