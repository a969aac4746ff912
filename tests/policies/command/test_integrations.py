"""The pre-commit hook and the GitHub Action, as far as they can be tried without their hosts."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.policies.command.run import write
from tests.policies.pack.engine import ME, allow, document

ACTION = ROOT / ".github" / "actions" / "identity-scope"
OWN = document([allow(f"arn:aws:s3:::notes/{ME}/*")])
LEAK = document([allow("arn:aws:s3:::notes/*")])


def action(folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """The action's step, with its inputs and their defaults, in a folder."""
    definition: dict[str, Any] = yaml.safe_load((ACTION / "action.yml").read_text(encoding="utf-8"))
    step = definition["runs"]["steps"][-1]
    given = {name: inputs.get(name.replace("-", "_"), each["default"]) for name, each in definition["inputs"].items()}
    environment = {}
    for name, value in step["env"].items():
        match = re.fullmatch(r"\$\{\{ inputs\.([a-z-]+) \}\}", value)
        environment[name] = given[match.group(1)] if match else sys.executable
    environment |= {"GITHUB_ACTION_PATH": str(ACTION), "PATH": os.environ["PATH"]}
    command = ["bash", "-c", step["run"]]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_the_action_annotates_and_fails(tmp_path: Path) -> None:
    write(tmp_path / "leak.json", LEAK)
    done = action(tmp_path, sarif="out.sarif")
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("::error file=leak.json,line=4,col=5,title=s3-isolated-by-identity::")
    assert len(json.loads((tmp_path / "out.sarif").read_text())["runs"][0]["results"]) == 2
    assert action(tmp_path, fail_on_findings="false").returncode == 0
    write(tmp_path / "leak.json", OWN)
    done = action(tmp_path, sarif="out.sarif")
    assert (done.returncode, done.stdout) == (0, "")
    assert json.loads((tmp_path / "out.sarif").read_text())["runs"][0]["results"] == []


def test_the_actions_inputs(tmp_path: Path) -> None:
    for name in ("a b", "c"):
        write(tmp_path / name / "leak.json", LEAK)
    config = write(tmp_path / "config.json", {"s3-own-folder": "disabled"})
    done = action(tmp_path, paths="a b/leak.json\nc\n", config=str(config), each="true")
    assert [line.partition(",")[0] for line in done.stdout.splitlines()] == [
        "::error file=a b/leak.json",
        "::error file=c/leak.json",
    ]
    free = {"Type": "String"}
    role = {"AssumeRolePolicyDocument": document([]), "Policies": []}
    template = {"Parameters": {"A": free}, "Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": role}}}
    write(tmp_path / "t.json", template)
    assert action(tmp_path, paths="t.json", parameters="A=x y\nB=;touch z").returncode == 0
    assert not (tmp_path / "z").exists()


@pytest.mark.parametrize("fail", ["true", "false"])
def test_the_action_fails_on_what_cannot_be_judged(fail: str, tmp_path: Path) -> None:
    for paths in ("missing.json", "--help", "$(touch x)"):
        done = action(tmp_path, paths=paths, fail_on_findings=fail)
        assert (done.returncode, done.stdout) == (2, ""), paths
        assert "does not exist" in done.stderr
    assert not (tmp_path / "x").exists()


def test_the_action_imports_nothing_of_what_it_judges(tmp_path: Path) -> None:
    write(tmp_path / "own.json", OWN)
    for name in ("yaml.py", "argparse.py", "identity_scope/__init__.py", "sitecustomize.py"):
        write(tmp_path / name, "raise SystemExit(7)")
    assert action(tmp_path).returncode == 0


def test_the_action_is_well_formed() -> None:
    text = (ACTION / "action.yml").read_text(encoding="utf-8")
    definition = yaml.safe_load(text)
    assert definition["runs"]["using"] == "composite"
    for step in definition["runs"]["steps"]:
        assert "uses" in step or step["shell"] == "bash"
        assert "${{" not in step.get("run", ""), "inputs reach a script as environment variables only"
    for pin in re.findall(r"uses: \S+@(.*)", text):
        assert re.fullmatch(r"[0-9a-f]{40} # v\d+\.\d+\.\d+", pin)


def test_the_hook(tmp_path: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert {"id", "name", "entry", "language"} <= set(hook)
    tool = write(tmp_path / "bin" / "identity-scope", f'#!/bin/sh\nexec {sys.executable} -m identity_scope "$@"\n')
    tool.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tool.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "policies")}
    folder = tmp_path / "repository"
    command = [*shlex.split(hook["entry"]), *hook["args"]]
    for policy, code in ((LEAK, 1), (OWN, 0)):
        write(folder / "policies" / "policy.json", policy)
        write(folder / "package.json", {"name": "x"})
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode == code, done.stderr
