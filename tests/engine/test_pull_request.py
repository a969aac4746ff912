"""The scripts of `preview.yml` as GitHub would run them, on a pull request that edits the policy pack that judges it.

The CLI, its language host for Python and the pack are the real ones; `gh` is a stand-in that notes what it is asked.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.engine.conftest import Stack
from tests.engine.test_hosts import _copy, needs_python

WIDE = {"statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::notes-dev-uploads/*"}}
NO_RULES = """\
from pulumi_policy import PolicyPack, StackValidationPolicy

PolicyPack("identity-scope", policies=[StackValidationPolicy("s3-isolated-by-identity", "nothing", lambda *_: None)])
"""
GH = """\
#!/usr/bin/env python3
import json, os, pathlib, sys
store = pathlib.Path(os.environ["STORE"])
comments = json.loads(store.read_text()) if store.exists() else []
words = sys.argv[1:]
if "--jq" in words:
    print("failure")
elif "--slurp" in words:
    print(json.dumps([comments]))
else:
    method, body = words[words.index("--method") + 1], json.load(open(words[words.index("--input") + 1]))["body"]
    address = next(word for word in words if word.startswith("repos/"))
    if method == "POST":
        comments.append({"id": 41, "user": {"login": "github-actions[bot]", "type": "Bot"}, "body": body})
    else:
        (found,) = [each for each in comments if address.endswith(f"/comments/{each['id']}")]
        found["body"] = body
    store.write_text(json.dumps(comments))
"""


class Runner:
    """A machine that runs the scripts of a workflow's job, with both checkouts in its workspace."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.workspace = stack.folder / "workspace"
        self.temp = stack.folder / "temp"
        self.store = stack.folder / "comments.json"
        for folder in (self.workspace / "main", self.workspace / "change", self.temp, stack.folder / "gh"):
            folder.mkdir(parents=True)
        for checkout in ("main", "change"):
            _copy(self.workspace / checkout)
            for name in ("policy-config", "scripts"):
                shutil.copytree(ROOT / name, self.workspace / checkout / name)
        (self.workspace / "main" / "policies" / "venv").symlink_to(sys.prefix)
        (stack.folder / "gh" / "gh").write_text(GH)
        (stack.folder / "gh" / "gh").chmod(0o755)
        stack.project = self.workspace / "change"

    def run(self, job: str, folder: str, **variables: str) -> int:
        """Run the scripts of a job's steps until one fails, and then those that run in any case; the first exit code."""
        workflow = yaml.safe_load((ROOT / ".github/workflows/preview.yml").read_text(encoding="utf-8"))
        assert workflow["defaults"]["run"]["shell"] == "bash"
        environment = {**self.stack.cli.environment, **variables}
        environment["PATH"] = f"{self.stack.folder / 'gh'}:{environment['PATH']}"
        environment |= {"RUNNER_TEMP": str(self.temp), "STORE": str(self.store)}
        failed = 0
        for step in workflow["jobs"][job]["steps"]:
            if "run" not in step or (failed and step.get("if") != "!cancelled()"):
                continue
            fixed = {k: v for k, v in step.get("env", {}).items() if "${{" not in v}
            command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
            where = self.workspace / step.get("working-directory", folder)
            done = subprocess.run(
                command, cwd=where, env={**environment, **fixed}, capture_output=True, text=True, check=False
            )
            if step.get("continue-on-error"):
                assert done.returncode == 0, done.stderr
            failed = failed or done.returncode
        return failed

    def comment(self, number: int) -> list[dict[str, Any]]:
        variables = {
            "STACK": "dev",
            "COMMENTS": "repos/acme/x/issues/1/comments",
            "JOBS": "repos/acme/x/actions/runs/1/attempts/1/jobs",
            "COMMIT": f"{number:040x}",
            "RUN": "https://github.com/acme/x/actions/runs/1",
            "ISSUES": "repos/acme/x/issues",
            "PULL_REQUEST": "1",
        }
        handed_over = self.temp / "handed-over"
        handed_over.mkdir(exist_ok=True)
        for name in ("preview.txt", "access.json"):
            shutil.copy(self.temp / name, handed_over)
        assert self.run("comment", "main", **variables) == 0
        comments: list[dict[str, Any]] = json.loads(self.store.read_text())
        return comments


@needs_python
def test_a_pull_request_that_edits_the_pack_is_judged_by_the_pack_of_main(stack: Stack) -> None:
    runner = Runner(stack)
    change = runner.workspace / "change"
    (change / "policies" / "__main__.py").write_text(NO_RULES)
    everything = {"exemptions": [{"urn": "*", "reason": "mine", "expires": "2099-01-01"}]}
    (change / "policy-config" / "dev.json").write_text(json.dumps({"s3-isolated-by-identity": everything}))
    stack.configure(authenticated={"grants": [WIDE]})
    variables = {"STACK": f"organization/{stack.name}", "PACK_CONFIG": "../main/policy-config/dev.json"}
    assert runner.run("preview", "change", **variables) != 0
    assert "s3-isolated-by-identity" in (runner.temp / "preview.txt").read_text(encoding="utf-8")

    (comment,) = runner.comment(1)
    assert "❌ The policy pack stops this change. Findings: 1 mandatory" in comment["body"]
    assert "Traceback" not in comment["body"]
    assert "| <code>users&#45;authenticated</code> |" in comment["body"]  # a role of a stack that is not deployed yet

    stack.configure()
    assert runner.run("preview", "change", **variables) == 0
    stack.up()
    assert runner.run("preview", "change", **variables) == 0
    (comment,) = runner.comment(2)
    assert "The access of users does not change: that is proven for each role." in comment["body"]
    assert f"Commit {2:040x}"[:17] in comment["body"]
    assert "1 mandatory" not in comment["body"]


@needs_python
def test_the_edited_pack_would_have_passed(stack: Stack) -> None:
    """The test above shows something: with the branch's own pack, the same change passes."""
    _copy(stack.project)
    (stack.project / "policies" / "__main__.py").write_text(NO_RULES)
    stack.configure(authenticated={"grants": [WIDE]})
    stack.run("preview", "--policy-pack", str(stack.project / "policies"), program=False)


def test_a_branch_or_a_stack_with_a_hostile_name_is_only_a_value(tmp_path: Path) -> None:
    """What reaches the scripts of all workflows from outside reaches them as variables, which bash does not run."""
    hostile = "x$(touch pwned)`touch pwned`;touch pwned;\"'\n#"
    (tmp_path / "pulumi").write_text('#!/bin/sh\nprintf "%s\\0" "$@" >> "$RUNNER_TEMP/arguments"\n')
    (tmp_path / "pulumi").chmod(0o755)
    change = tmp_path / "change"
    for folder in (change, tmp_path / "main"):
        (folder / "policies" / "venv" / "bin").mkdir(parents=True)
        (folder / "policies" / "venv" / "bin" / "python").symlink_to(shutil.which("true") or "/bin/true")
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
        for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
            for step in job["steps"]:
                if "pulumi " not in step.get("run", ""):
                    continue
                environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "RUNNER_TEMP": str(tmp_path)}
                environment |= {"STACK": hostile, "PACK_CONFIG": hostile}
                command = ["bash", "-eo", "pipefail", "-c", step["run"]]
                subprocess.run(command, cwd=change, env=environment, check=True, capture_output=True)
    arguments = (tmp_path / "arguments").read_text().split("\0")
    assert arguments.count(hostile) >= 6
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.parametrize("workflow", ["preview.yml", "deploy.yml", "drift.yml"])
def test_every_command_of_the_workflows_is_not_interactive(workflow: str) -> None:
    text = (ROOT / ".github" / "workflows" / workflow).read_text(encoding="utf-8")
    assert text.count("pulumi preview ") + text.count("pulumi up ") == text.count("--non-interactive --color never")
