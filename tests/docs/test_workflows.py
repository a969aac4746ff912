"""The workflows: whose code runs with which credentials, whose pack judges, and what is pinned.

The threats are those of docs/pull-requests.md: the code of a pull request is hostile, and so is everything it hands over.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from policies.identity_scope.pack.configuration import read
from policies.identity_scope.pack.rules import RULES
from sandbox.engine.pulumi_cli import minimum_version
from tests.conftest import ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = {path.stem: path for path in sorted((GITHUB / "workflows").glob("*.yml"))}
ACTION = GITHUB / "actions" / "pulumi"
FILES = [*WORKFLOWS.values(), ACTION / "action.yml"]
STACKS = ["dev", "staging", "prod"]


def load(path: Path) -> dict[Any, Any]:
    content: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def jobs(workflow: str) -> dict[str, dict[str, Any]]:
    content: dict[str, dict[str, Any]] = load(WORKFLOWS[workflow])["jobs"]
    return content


def triggers(workflow: str) -> dict[str, Any]:
    on = load(WORKFLOWS[workflow])[True]  # YAML 1.1 reads the key `on` so
    return on if isinstance(on, dict) else {on: None}


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    """(where, step) of each step."""
    for name in WORKFLOWS:
        for job, content in jobs(name).items():
            for step in content["steps"]:
                yield f"{name}: {job}", step
    for step in load(ACTION / "action.yml")["runs"]["steps"]:
        yield "action", step


def checkouts(job: dict[str, Any]) -> dict[str, str | None]:
    """Which ref stands in which folder of a job: None is the commit of the event, for a pull request its own code."""
    options = [step.get("with", {}) for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
    return {option.get("path", "."): option.get("ref") for option in options}


def test_every_action_is_pinned_by_hash_with_its_version_and_in_one_version() -> None:
    pins: dict[str, set[str]] = {}
    for path in FILES:
        for action, pin in re.findall(r"uses: ([^\s.][^\s@]*)@(.*)", path.read_text(encoding="utf-8")):
            assert re.fullmatch(r"[0-9a-f]{40} # v\d+\.\d+\.\d+", pin), f"{path.name}: {action}"
            pins.setdefault(action, set()).add(pin)
    assert len(pins) >= 6
    assert {action: pin for action, pin in pins.items() if len(pin) > 1} == {}


def test_the_pins_are_refreshed() -> None:
    (updates,) = load(GITHUB / "dependabot.yml")["updates"]
    assert updates["package-ecosystem"] == "github-actions"
    folders = {str(path.parent.relative_to(ROOT)) for path in ROOT.glob(".github/actions/*/action.yml")}
    assert "/" in updates["directories"]
    assert all(any(Path("/" + folder).match(pattern) for pattern in updates["directories"]) for folder in folders)


def test_no_expression_stands_in_a_script() -> None:
    """The name of a branch or the title of a pull request would be run as part of it; a variable is only read."""
    assert [where for where, step in steps() if "${{" in step.get("run", "")] == []


def test_no_trigger_gives_the_rights_of_main_to_the_code_of_others_and_nothing_is_cached() -> None:
    for name in WORKFLOWS:
        assert not {"pull_request_target", "workflow_run", "issue_comment", "repository_dispatch"} & set(triggers(name))
    for where, step in steps():
        assert "cache" not in step.get("uses", ""), where
        assert "cache" not in step.get("with", {}), where
        assert not re.search(r"GITHUB_(ENV|OUTPUT|PATH)", step.get("run", "")), where


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_grants_nothing_to_all_of_its_jobs_but_reading(name: str) -> None:
    assert load(WORKFLOWS[name])["permissions"] in ({}, {"contents": "read"})


@pytest.mark.parametrize("name", [name for name in WORKFLOWS if "pull_request" in triggers(name)])
def test_what_runs_the_code_of_a_pull_request_cannot_write(name: str) -> None:
    """A job that checks the pull request out has no right to write; `id-token` is for the role of its environment."""
    for job in jobs(name).values():
        if None in checkouts(job).values():
            rights = job.get("permissions", {})
            assert {right for right, level in rights.items() if level == "write"} <= {"id-token"}
            if "id-token" in rights:
                assert job["environment"].startswith("preview-")
                assert "head.repo.full_name == github.repository" in job["if"]


@pytest.mark.parametrize("name", [name for name in WORKFLOWS if "pull_request" in triggers(name)])
def test_what_can_write_runs_no_code_of_the_pull_request(name: str) -> None:
    for job in jobs(name).values():
        if job.get("permissions", {}).get("pull-requests") == "write":
            assert checkouts(job) == {".": "main"}
            assert "environment" not in job
            assert "id-token" not in job["permissions"]
            with_token = [step for step in job["steps"] if "GH_TOKEN" in step.get("env", {})]
            assert with_token
            assert [step for step in with_token if "python" in step["run"]] == []
            assert [step for step in with_token if "handed-over" in step["run"]] == []


def preview_step() -> dict[str, Any]:
    step: dict[str, Any]
    (step,) = [step for step in jobs("preview")["preview"]["steps"] if "--policy-pack" in step.get("run", "")]
    return step


def test_the_pack_that_judges_a_pull_request_is_the_one_of_main() -> None:
    """The pack, its configuration and what installs both come from main, and the pull request stands in another folder."""
    job = jobs("preview")["preview"]
    assert triggers("preview")["pull_request"] == {"branches": ["main"]}
    assert checkouts(job) == {"change": None, "main": "main"}
    assert list(checkouts(job)) == ["change", "main"]  # neither is inside the other
    assert [step["uses"] for step in job["steps"] if step.get("uses", "").startswith("./")] == [
        "./main/.github/actions/pulumi"
    ]
    (installs,) = [step["with"] for step in job["steps"] if step.get("uses", "").startswith("./main")]
    assert (installs["program"], installs["pack"]) == ("change", "main")
    step = preview_step()
    assert step["working-directory"] == "change"
    assert re.findall(r"--policy-pack (\S+)", step["run"]) == ["../main/policies"]
    assert re.findall(r"--policy-pack-config (\S+)", step["run"]) == ['"$PACK_CONFIG"']
    assert [
        s["run"] for s in job["steps"] if "identity_scope" in s.get("run", "") and "../main/policies" not in s["run"]
    ] == []
    assert job["env"]["PACK_CONFIG"] == "../main/policy-config/${{ matrix.stack }}.json"


def test_a_preview_of_a_pull_request_reaches_neither_production_nor_a_deployment() -> None:
    job = jobs("preview")["preview"]
    assert job["strategy"]["matrix"] == {"stack": ["dev", "staging"]}
    text = WORKFLOWS["preview"].read_text(encoding="utf-8")
    assert set(re.findall(r"secrets\.(\w+)", text)) == {"PULUMI_CONFIG_PASSPHRASE"}
    assert "AWS_DEPLOY_ROLE" not in text
    assert "PULUMI_ACCESS_TOKEN" not in "".join(path.read_text(encoding="utf-8") for path in FILES)


def test_each_environment_is_deployed_after_the_one_before_it_under_the_pack() -> None:
    content = jobs("deploy")
    assert triggers("deploy") == {"push": {"branches": ["main"]}}
    order = [(job["environment"], job.get("needs")) for job in content.values()]
    assert order == [("dev", None), ("staging", "up-dev"), ("preview-prod", "up-staging"), ("prod", "preview-prod")]
    for job in content.values():
        (command,) = [step["run"] for step in job["steps"] if "pulumi " in step.get("run", "")]
        stack = job["environment"].removeprefix("preview-")
        assert "--policy-pack policies " in command
        assert f"--policy-pack-config policy-config/{stack}.json" in command
        assert job["env"]["STACK"].endswith(f"/{stack}")
        (action,) = [step["with"] for step in job["steps"] if step.get("uses", "").startswith("./")]
        role = "AWS_DEPLOY_ROLE" if "pulumi up" in command else "AWS_PREVIEW_ROLE"
        assert action["role"] == f"${{{{ vars.{role} }}}}"
        assert job["concurrency"]["cancel-in-progress"] is False


def test_drift_is_looked_for_with_the_code_of_main() -> None:
    (job,) = jobs("drift").values()
    assert job["if"] == "github.ref == 'refs/heads/main'"
    assert checkouts(job) == {".": None}
    assert "pull_request" not in triggers("drift")


def test_the_owners_of_the_pack_approve_what_judges_and_what_deploys() -> None:
    owned = {line.split()[0] for line in (GITHUB / "CODEOWNERS").read_text().splitlines() if line and line[0] != "#"}
    assert {"/policies/", "/policy-config/", "/components/", "/.github/", "/scripts/"} <= owned
    for pattern in owned:
        assert list(ROOT.glob(pattern.strip("/").removesuffix("*") + ("*" if pattern.endswith("*") else ""))), pattern


@pytest.mark.parametrize("stack", STACKS)
def test_every_stack_has_a_configuration_that_the_pack_accepts(stack: str) -> None:
    rules = {rule.name: rule for rule in RULES}
    problems: list[str] = []
    for name, settings in json.loads((ROOT / "policy-config" / f"{stack}.json").read_text(encoding="utf-8")).items():
        read(rules[name].settings, {k: v for k, v in settings.items() if k != "enforcementLevel"}, problems)
    assert problems == []


def test_there_is_no_configuration_of_another_stack() -> None:
    assert sorted(path.stem for path in (ROOT / "policy-config").iterdir()) == sorted(STACKS)


def test_the_cli_is_one_version_that_the_program_accepts() -> None:
    checksum, name = (ACTION / "pulumi.sha256").read_text().split()
    assert re.fullmatch("[0-9a-f]{64}", checksum)
    version = re.fullmatch(r"pulumi-v(\d+)\.(\d+)\.(\d+)-linux-x64\.tar\.gz", name)
    assert version is not None
    assert tuple(map(int, version.groups())) >= minimum_version()
    assert not re.search(r"\d\.\d+\.\d+\S*linux|version=\d", "".join(path.read_text() for path in FILES))


@pytest.mark.parametrize("tampered", [False, True])
def test_a_release_that_was_replaced_is_not_installed(tampered: bool, tmp_path: Path) -> None:
    """The script as the workflows run it, with a release that is as expected, and one that is not."""
    commands, action, installed = tmp_path / "bin", tmp_path / "action", tmp_path / "installed"
    for folder in (commands, action, installed, tmp_path / "pulumi"):
        folder.mkdir()
    (tmp_path / "pulumi" / "pulumi").write_text("the CLI")
    archive = action / "pulumi-v9.8.7-linux-x64.tar.gz"
    pack = ["tar", "-czf", str(archive), "-C", str(tmp_path), "pulumi"]
    subprocess.run(pack, check=True)
    checksum = subprocess.run(
        ["sha256sum", archive.name], cwd=action, capture_output=True, text=True, check=True
    ).stdout
    (action / "pulumi.sha256").write_text(checksum)
    if tampered:
        (tmp_path / "pulumi" / "pulumi").write_text("another CLI")
        subprocess.run(pack, check=True)
    shutil.copy(ACTION / "install.sh", action)
    (commands / "curl").write_text(f'#!/bin/sh\nfor url; do :; done\necho "$url" >&2\ncp "{action}/${{url##*/}}" .\n')
    (commands / "curl").chmod(0o755)
    environment = {**os.environ, "PATH": f"{commands}:{os.environ['PATH']}"}
    command = [str(action / "install.sh"), str(installed)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "https://github.com/pulumi/pulumi/releases/download/v9.8.7/pulumi-v9.8.7-linux-x64.tar.gz" in done.stderr
    assert (done.returncode != 0) is tampered, done.stderr
    assert (installed / "pulumi").exists() is not tampered


@pytest.mark.parametrize("schema", ["github-workflows", "github-actions", "dependabot"])
def test_github_accepts_the_files(schema: str) -> None:
    paths = {
        "github-workflows": list(WORKFLOWS.values()),
        "github-actions": [ACTION / "action.yml"],
        "dependabot": [GITHUB / "dependabot.yml"],
    }[schema]
    command = ["check-jsonschema", "--builtin-schema", f"vendor.{schema}", *map(str, paths)]
    executable = str(Path(sys.executable).parent / command[0])
    done = subprocess.run([executable, *command[1:]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
