"""The commands of docs/organisation.md, run as they are written there.

The loop over all stacks runs on a backend in a folder. The commands of Pulumi Cloud run against a stand-in, which answers
as the CLI expects and notes what it is sent: they show what the CLI does, and nothing of what Pulumi Cloud does with it.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.engine import pulumi_cli
from tests.conftest import ROOT
from tests.engine.conftest import Stack
from tests.engine.test_hosts import needs_python

PAGE = (ROOT / "docs" / "organisation.md").read_text(encoding="utf-8")
WIDE = {"statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::notes-dev-uploads/*"}}


def scripts(heading: str) -> list[str]:
    """The shell scripts of a section."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)


def copy_of_the_pack(folder: Path) -> Path:
    """The pack's folder, run by the interpreter that runs the tests."""
    pack = folder / "policies"
    shutil.copytree(ROOT / "policies", pack, ignore=shutil.ignore_patterns("__pycache__", "venv", ".*cache", "build"))
    settings = yaml.safe_load((pack / "PulumiPolicy.yaml").read_text(encoding="utf-8"))
    settings["runtime"]["options"]["virtualenv"] = sys.prefix
    (pack / "PulumiPolicy.yaml").write_text(yaml.safe_dump(settings))
    return pack


@needs_python
@pytest.mark.skipif(not shutil.which("jq"), reason="needs jq")
def test_the_loop_over_all_stacks_needs_only_the_state_and_finds_the_one_that_leaks(
    stack: Stack, tmp_path: Path
) -> None:
    stack.up()
    leaking = Stack(stack.cli, stack.sandbox, stack.folder, "leaking")
    leaking.up(pack=False, poolName="leaking", groups=[], authenticated={"grants": [WIDE]})
    copy_of_the_pack(tmp_path)
    (script,) = scripts("Look at every existing stack")
    script = script.partition("\n")[2]  # without the environment, which is the one of the tests
    environment = {
        k: v for k, v in stack.cli.environment.items() if not k.startswith(("AWS_", "PULUMI_CONFIG_PASSPHRASE"))
    }
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    assert re.findall(r"^(?:NOT PASSED|passed): .*", done.stdout, re.MULTILINE) == [
        f"passed: organization/scoped-identity/{stack.name}",
        "NOT PASSED: organization/scoped-identity/leaking",
    ]
    assert "s3-isolated-by-identity" in done.stdout
    exported = sorted(path.name for path in (tmp_path / "exports").iterdir())
    assert exported == ["organization.scoped-identity.engine.json", "organization.scoped-identity.leaking.json"]


class Cloud:
    """Answers as Pulumi Cloud's API as far as the commands here ask it.

    Attributes:
        sent: (method, path, JSON body) of each request.
        archive: the pack that was published.
    """

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, Any]] = []
        self.archive = b""
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

            def answer(self) -> None:
                body = cloud.body(self)
                path = self.path.partition("?")[0]
                content = (
                    cloud.archive if path == "/pack" else json.dumps(cloud.answer(self.command, path, body)).encode()
                )
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = answer  # noqa: N815

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()

    def body(self, request: BaseHTTPRequestHandler) -> bytes:
        if request.headers.get("Transfer-Encoding") == "chunked":
            content = b""
            while size := int(request.rfile.readline(), 16):
                content += request.rfile.read(size)
                request.rfile.readline()
            request.rfile.readline()
        else:
            content = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        if request.command == "PUT":
            self.archive = content
            return b""
        return gzip.decompress(content) if request.headers.get("Content-Encoding") == "gzip" else content

    def answer(self, method: str, path: str, body: bytes) -> Any:
        if method != "GET":
            self.sent.append((method, path, json.loads(body) if body else None))
        group = {
            "name": "identity-pools",
            "mode": "preventative",
            "stacks": [],
            "appliedPolicyPacks": [],
            "accounts": [],
        }
        pack = {"name": "identity-scope", "version": 1, "versionTag": "0.1.0", "packLocation": f"{self.address}/pack"}
        answers: dict[str, Any] = {
            "/api/user": {
                "githubLogin": "me",
                "name": "me",
                "organizations": [{"githubLogin": "acme", "name": "acme"}],
            },
            "/api/capabilities": {"capabilities": [{"capability": "stack-policy-packs", "version": 1}]},
            "/api/stacks/acme/notes/dev": {"orgName": "acme", "projectName": "notes", "stackName": "dev", "tags": {}},
            "/api/stacks/acme/notes/dev/policypacks": {"requiredPolicies": [pack]},
            "/api/orgs/acme/policypacks": {"version": 1, "uploadURI": f"{self.address}/upload"},
            "/api/orgs/acme/policygroups": {"policyGroups": [{**group, "numStacks": 1, "numEnabledPolicyPacks": 1}]},
            "/api/orgs/acme/policygroups/identity-pools": group,
        }
        return answers.get(path, {})


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    running = Cloud()
    yield running
    running.stop()


def run(binary: Path, cloud: Cloud, folder: Path, *command: str, fails: bool = False) -> str:
    environment = {
        **{name: os.environ[name] for name in ("PATH", "PIP_FIND_LINKS") if name in os.environ},
        "HOME": str(folder),
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_BACKEND_URL": cloud.address,
        "PULUMI_ACCESS_TOKEN": "pul-0123",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    environment["PATH"] = os.pathsep.join([str(binary.parent), str(pulumi_cli.BUILT), environment["PATH"]])
    words = [str(binary), "--non-interactive", "--color", "never", *command]
    done = subprocess.run(
        words, cwd=folder / "policies", env=environment, capture_output=True, text=True, check=False, timeout=200
    )
    assert (done.returncode != 0) is fails, done.stdout + done.stderr
    return done.stdout + done.stderr


@needs_python
def test_the_pack_is_published_and_enabled_as_it_is_written(binary: Path, cloud: Cloud, tmp_path: Path) -> None:
    copy_of_the_pack(tmp_path)
    config = {"s3-isolated-by-identity": {"enforcementLevel": "mandatory"}}
    (tmp_path / "pack.json").write_text(json.dumps({"environments": ["policies/identity-scope"], **config}))
    (script,) = scripts("With Pulumi Cloud")
    commands = [line.split()[1:] for line in script.splitlines() if line.startswith("pulumi ")]
    assert commands.pop(0) == ["install"]  # tried in test_hosts.py; here the environment is the one of the tests
    assert [" ".join(command[:3]) for command in commands] == [
        "policy publish acme",
        "policy group new",
        "policy group edit",
        "policy enable acme/identity-scope",
        "policy group ls",
    ]
    if "--entity-type" in run(binary, cloud, tmp_path, "policy", "group", "new", "--help"):
        commands[1] += ["--entity-type", "stacks"]
    for command in commands:
        run(binary, cloud, tmp_path, *command)
    published, _, group, edit, enabled = [request for request in cloud.sent if request[0] != "PUT"]
    assert (published[2]["name"], published[2]["versionTag"]) == ("identity-scope", "0.1.0")
    assert "s3-isolated-by-identity" in {policy["name"] for policy in published[2]["policies"]}
    assert group[:2] == ("POST", "/api/orgs/acme/policygroups")
    assert group[2].items() >= {"name": "identity-pools", "mode": "preventative"}.items()
    assert '"name": "dev", "routingProject": "notes"' in json.dumps(edit[2], sort_keys=True)
    assert enabled[2]["addPolicyPack"]["config"] == config
    if "environments" in run(
        binary, cloud, tmp_path, "policy", "enable", "--help"
    ):  # not in the oldest CLI that is supported
        assert enabled[2]["addPolicyPack"]["environments"] == ["policies/identity-scope"]
    with tarfile.open(fileobj=io.BytesIO(cloud.archive)) as archive:
        names = archive.getnames()
    assert "package/identity_scope/iam/catalogue.json" in names
    assert not [name for name in names if "__pycache__" in name or "/venv" in name]


@needs_python
def test_install_sets_up_the_pack_that_was_published(binary: Path, cloud: Cloud, tmp_path: Path) -> None:
    """In an environment of its own: the archive is made here, as the tests' copy of the pack names the tests' own."""
    (tmp_path / "policies").mkdir()
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name in subprocess.check_output(["git", "ls-files"], cwd=ROOT / "policies", text=True).splitlines():
            archive.add(ROOT / "policies" / name, f"package/{name}")
    cloud.archive = content.getvalue()
    (command,) = re.findall(r"`pulumi\s+(policy\s+install [^`]*)`", PAGE)
    assert "installed 1 policy pack for stack acme/notes/dev" in run(binary, cloud, tmp_path, *command.split())
    (pack,) = (tmp_path / "home" / "policies" / "acme").glob("*/PulumiPolicy.yaml")
    python = pack.parent / "venv" / "bin" / "python"
    subprocess.run([python, "-c", "import pulumi_policy"], check=True)


FIELDS = {
    "PolicyPack": {"organization", "name", "versionTag", "sourcePath", "displayName", "policies"},
    "PolicyGroup": {"organizationName", "name", "entityType", "mode", "stacks", "accounts", "policyPacks"},
}
"""Inputs of the resources of pulumiservice 1.3.

Source: https://www.pulumi.com/registry/packages/pulumiservice/api-docs/
"""


def test_the_resources_of_pulumiservice_have_the_fields_that_are_set() -> None:
    (program,) = [p for p in map(yaml.safe_load, re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)) if "resources" in p]
    for resource in program["resources"].values():
        assert set(resource["properties"]) <= FIELDS[resource["type"].removeprefix("pulumiservice:")]
    group = program["resources"]["pools"]["properties"]
    assert {name for stack in group["stacks"] for name in stack} == {"routingProject", "name"}
    assert {name for pack in group["policyPacks"] for name in pack} <= {"name", "versionTag", "displayName", "config"}
    assert group["mode"] in ("audit", "preventative")
    assert group["entityType"] in ("stacks", "accounts")
