"""State in a bucket as docs/pull-requests.md describes it: the setup, the roles, secrets, references to other stacks.

The bucket and the key are moto's, reached over HTTP by the CLI's own S3 and KMS clients. Each request is authorized by the
document of the role that the test is in: what the documents in docs/access do not allow is refused.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import threading
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pulumi
import pytest
import yaml
from botocore import xform_name
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from policies.identity_scope.iam.documents import DocumentKind, parse
from policies.identity_scope.iam.evaluator import Applicable, Request, decide
from sandbox.engine import pulumi_cli, stack_files
from sandbox.engine.pulumi_cli import PulumiCli
from tests.conftest import ROOT
from tests.engine.conftest import Stack

PAGE = ROOT / "docs" / "pull-requests.md"
REGION = "eu-west-1"
BUCKET = "acme-pulumi-state-dev"
KEY = f"arn:aws:kms:{REGION}:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
REFERENCE = "stack://organization/notes-foundation/staging#"
DENIED = b"<Error><Code>AccessDenied</Code><Message>not allowed by the document</Message></Error>"


class Bucket:
    """A bucket and a key, and what is asked of them.

    Attributes:
        document: the policy of whoever calls; None allows everything.
        actions: what was asked for, as (action, ARN).
    """

    def __init__(self) -> None:
        self.document: str | None = None
        self.actions: list[tuple[str, str]] = []
        self._app = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()

    def client(self, service: str) -> Any:
        keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
        return boto3.client(service, endpoint_url=self.endpoint, region_name=REGION, **keys)

    def environment(self) -> dict[str, str]:
        keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": REGION}
        return {**keys, "AWS_ENDPOINT_URL": self.endpoint, "PULUMI_BACKEND_URL": f"s3://{BUCKET}?region={REGION}"}

    def role(self, name: str | None) -> None:
        """Who calls from now on: `preview` or `deploy`."""
        self.document = (
            None if name is None else (ROOT / "docs" / "access" / f"{name}.json").read_text(encoding="utf-8")
        )
        self.actions.clear()

    def _answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        asked = list(_requests(environ))
        self.actions += asked
        if self.document is not None:
            applicable = Applicable((("role", parse(self.document, DocumentKind.IDENTITY)),))
            if not all(decide(Request(action, arn), applicable).allowed for action, arn in asked):
                start("403 Forbidden", [("Content-Type", "application/xml")])
                return [DENIED]
        answer: Iterable[bytes] = self._app(environ, start)
        return answer


def _requests(environ: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The permissions that a request to S3 or KMS needs.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
    """
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        yield f"kms:{target.rpartition('.')[2]}", KEY
        return
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"].lstrip("/")
    bucket, _, key = path.partition("/")
    if not key:
        lists = method == "GET" and "list-type=2" in environ["QUERY_STRING"]
        yield "s3:ListBucket" if lists else "s3:CreateBucket", f"arn:aws:s3:::{bucket}"
        return
    if source := environ.get("HTTP_X_AMZ_COPY_SOURCE"):
        yield "s3:GetObject", f"arn:aws:s3:::{source.lstrip('/')}"
    action = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject"}.get(method, method)
    yield f"s3:{action}", f"arn:aws:s3:::{path}"


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    running = Bucket()
    urllib.request.urlopen(f"{running.endpoint}/moto-api/reset", b"").close()  # moto keeps one world for the process
    running.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    kms = running.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/pulumi-dev", TargetKeyId=key)
    running.actions.clear()
    yield running
    running.stop()


class Project:
    """A project with one secret output, and no resources: what is asked of the backend does not depend on them."""

    def __init__(self, binary: Path, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder / "project"
        self.folder.mkdir(exist_ok=True)
        (self.folder / "Pulumi.yaml").write_text("name: notes\nruntime: python\n")
        self._cli = PulumiCli(binary, folder, environment)
        self.environment = self._cli.environment

    def run(self, *command: str, fails: bool = False) -> str:
        with pulumi_cli.served(lambda: pulumi.export("secret", pulumi.Output.secret("confidential"))) as client:
            running = self._cli.start(self.folder, *command, client=client)
            output, _ = running.communicate(timeout=120)
        assert (running.returncode != 0) is fails, output
        return output

    def stack_file(self, stack: str = "dev") -> str:
        file = self.folder / f"Pulumi.{stack}.yaml"
        return file.read_text(encoding="utf-8") if file.exists() else ""


@pytest.fixture
def project(binary: Path, tmp_path: Path, bucket: Bucket) -> Project:
    return Project(binary, tmp_path, {**bucket.environment(), "PULUMI_CONFIG_PASSPHRASE": ""})


def aws(bucket: Bucket, *words: str) -> dict[str, Any]:
    """A command of the AWS CLI, with its options as arguments of boto3, which knows their names and types."""
    service, operation, *options = words
    client = bucket.client({"s3api": "s3"}.get(service, service))
    shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation.replace("-", "_")])
    arguments: dict[str, Any] = {}
    for option, value in zip(options[::2], options[1::2], strict=True):
        if option == "--region":
            assert value == REGION
            continue
        names = {xform_name(name, "-"): name for name in shape.input_shape.members}
        name = names[option.removeprefix("--")]
        kind = shape.input_shape.members[name].type_name
        file = ROOT / value.removeprefix("file://")
        text = file.read_text(encoding="utf-8") if value.startswith("file://") else value
        if kind == "structure":
            arguments[name] = dict([text.split("=")])
        else:
            arguments[name] = [text] if kind == "list" else text
    result: dict[str, Any] = getattr(client, operation.replace("-", "_"))(**arguments)
    return result


def test_the_steps_of_the_setup_work_in_their_order_as_they_are_written(project: Project, bucket: Bucket) -> None:
    """From an empty account to a preview and a deployment by the two roles."""
    urllib.request.urlopen(f"{bucket.endpoint}/moto-api/reset", b"").close()
    setup = PAGE.read_text(encoding="utf-8").partition("## Setup")[2].partition("\n## ")[0]
    project.environment.pop("PULUMI_BACKEND_URL")
    shutil.copy(ROOT / "Pulumi.dev.yaml", project.folder)
    key = ""
    commands = [line for block in re.findall(r"```sh\n(.*?)```", setup, re.DOTALL) for line in block.splitlines()]
    for program, *words in map(shlex.split, commands):
        if program == "aws":
            words = [key if word == "KEY_ID" else word for word in words]
            key = aws(bucket, *words).get("KeyMetadata", {}).get("KeyId", key)
        elif program == "pulumi":
            project.run(*words)
        else:
            assert (program, words[:2]) == ("git", ["add", "Pulumi.dev.yaml"])
            assert "secretsprovider: awskms://alias/pulumi-dev?region=eu-west-1\n" in project.stack_file()
    project.environment["PULUMI_BACKEND_URL"] = "s3://acme-pulumi-state-dev?region=eu-west-1"
    bucket.role("preview")
    project.run("preview", "--stack", "organization/dev")
    bucket.role("deploy")
    project.run("up", "--yes", "--stack", "organization/dev")
    bucket.role(None)
    assert [path["PolicyName"] for path in bucket.client("iam").list_policies(Scope="Local")["Policies"]] == [
        "app-users-boundary"
    ]


@pytest.mark.parametrize(
    "secrets", ["secretsprovider: awskms://alias/x\nencryptedkey: abc\n", "encryptionsalt: v1:abc\n"]
)
def test_the_sandbox_takes_a_stack_file_as_stack_init_leaves_it(secrets: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)
    (tmp_path / "Pulumi.dev.yaml").write_text(secrets + (ROOT / "Pulumi.dev.yaml").read_text(encoding="utf-8"))
    assert stack_files.read(tmp_path, "dev").config == stack_files.read(ROOT, "dev").config


PROVIDER = f"awskms://alias/pulumi-dev?region={REGION}"


def test_with_the_two_roles_a_preview_only_reads_and_a_deployment_works(project: Project, bucket: Bucket) -> None:
    """Every request is one that the role's document allows, or the command would fail."""
    bucket.role(None)
    project.run("stack", "init", "dev", "--secrets-provider", PROVIDER)
    assert "secretsprovider: awskms://" in project.stack_file()
    assert "encryptedkey: " in project.stack_file()

    bucket.role("preview")
    assert "to create" in project.run("preview", "--diff", "--stack", "organization/dev")
    assert {action for action, _ in bucket.actions} == {"s3:GetObject", "s3:ListBucket", "kms:Decrypt"}
    assert "AccessDenied" in project.run("up", "--yes", "--skip-preview", "--stack", "organization/dev", fails=True)

    bucket.role("deploy")
    project.run("up", "--yes", "--stack", "organization/dev")
    assert {"s3:PutObject", "s3:DeleteObject", "kms:Decrypt"} <= {action for action, _ in bucket.actions}

    bucket.role("preview")
    project.run("preview", "--refresh", "--expect-no-changes", "--diff", "--stack", "organization/dev")
    exported = project.run("stack", "export", "--stack", "dev")
    assert "confidential" not in exported
    assert {action for action, _ in bucket.actions} == {"s3:GetObject", "s3:ListBucket", "kms:Decrypt"}

    bucket.role("deploy")
    project.run("destroy", "--yes", "--stack", "organization/dev")
    project.run("stack", "rm", "--yes", "dev")
    project.run("stack", "init", "dev", "--secrets-provider", PROVIDER)  # the deploying role can make its stack, too


def test_the_documents_of_the_roles_allow_nothing_of_the_state_that_is_not_asked_for(
    project: Project, bucket: Bucket
) -> None:
    bucket.role("deploy")
    for command in (
        ("login",),
        ("stack", "init", "dev", "--secrets-provider", PROVIDER),
        ("up", "--yes", "--stack", "dev"),
        ("stack", "rm", "--yes", "--force", "dev"),
    ):
        project.run(*command)
    asked = {action for action, _ in bucket.actions}
    document = json.loads((ROOT / "docs/access/deploy.json").read_text(encoding="utf-8"))
    granted = {
        a for s in document["Statement"] for a in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])
    }
    assert {action for action in granted if action.startswith(("s3:", "kms:"))} == asked


def test_a_stack_that_is_missing_is_an_error_and_none_is_made(project: Project, bucket: Bucket) -> None:
    """A wrong backend would otherwise get a second pool."""
    assert "no stack named 'organization/dev' found" in project.run(
        "preview", "--stack", "organization/dev", fails=True
    )
    assert "no stack named 'organization/dev' found" in project.run(
        "up", "--yes", "--stack", "organization/dev", fails=True
    )
    assert "s3:PutObject" not in {action for action, arn in bucket.actions if "stacks" in arn}


def test_without_the_encrypted_key_of_the_stacks_file_its_key_is_not_asked(project: Project) -> None:
    """The file must be committed: the workflows' checkout has nothing else."""
    project.run("stack", "init", "dev", "--secrets-provider", PROVIDER)
    (project.folder / "Pulumi.dev.yaml").unlink()
    project.environment.pop("PULUMI_CONFIG_PASSPHRASE")
    output = project.run("up", "--yes", "--stack", "dev", fails=True)
    assert "passphrase must be set" in output


@pytest.fixture
def local(binary: Path, tmp_path: Path) -> Project:
    """A project whose state is in a folder, with a passphrase."""
    return Project(binary, tmp_path, {})


def test_config_is_set_as_the_pages_say_and_a_secret_is_encrypted(local: Project) -> None:
    local.run("stack", "init", "dev", "--secrets-provider", "passphrase")
    pages = ("docs/recipes.md", "examples/README.md")
    text = "".join((ROOT / page).read_text(encoding="utf-8") for page in pages)
    commands = re.findall(r"pulumi (config set [^`\n]+)", text)
    assert len(commands) == 2
    for command in commands:
        value = ["confidential"] if "--secret" in command else []
        local.run(*shlex.split(command), *value)
    config = yaml.safe_load(local.stack_file())["config"]
    assert config["aws:region"] == "eu-west-1"
    assert list(config["scoped-identity:providers"]["twitter"]["consumerSecret"]) == ["secure"]
    assert "confidential" not in local.stack_file()


@pytest.mark.parametrize("passphrase", ["wrong", ""])
def test_a_wrong_passphrase_is_an_error_where_the_stacks_file_has_its_salt(local: Project, passphrase: str) -> None:
    local.run("stack", "init", "dev", "--secrets-provider", "passphrase")
    assert local.stack_file().startswith("encryptionsalt: v1:")
    local.run("up", "--yes", "--stack", "organization/dev")
    local.environment["PULUMI_CONFIG_PASSPHRASE"] = passphrase
    assert "incorrect passphrase" in local.run("preview", "--stack", "dev", fails=True)


def test_without_the_salt_any_passphrase_starts_a_new_one(local: Project) -> None:
    """So the workflows refuse a stack whose file does not say how its secrets are encrypted."""
    local.run("stack", "init", "dev", "--secrets-provider", "passphrase")
    (local.folder / "Pulumi.dev.yaml").unlink()
    local.environment["PULUMI_CONFIG_PASSPHRASE"] = ""
    local.run("preview", "--stack", "dev")
    assert "encryptionsalt" in local.stack_file()


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("secretsprovider: awskms://alias/pulumi-dev\nencryptedkey: abc\nconfig: {}\n", True),
        ("config: {}\nencryptionsalt: v1:abc\n", True),
        ("config:\n  encryptionsalt: v1\n", False),
        ("config: {}\n# encryptionsalt: none\n", False),
        (None, False),
    ],
)
def test_the_workflows_refuse_a_stack_whose_file_does_not_say_how_its_secrets_are_encrypted(
    text: str | None, accepted: bool, tmp_path: Path
) -> None:
    action = yaml.safe_load((ROOT / ".github/actions/pulumi/action.yml").read_text(encoding="utf-8"))
    (step,) = [step for step in action["runs"]["steps"] if "encrypted" in step.get("name", "")]
    assert step["if"] == "inputs.organization == ''"
    if text is not None:
        (tmp_path / "Pulumi.dev.yaml").write_text(text)
    gitlab = yaml.safe_load((ROOT / "examples" / "gitlab-ci.yml").read_text(encoding="utf-8"))
    for script, stack_name in ((step["run"], "organization/dev"), (gitlab[".pulumi"]["before_script"][0], "dev")):
        environment = {**os.environ, "PROGRAM": str(tmp_path), "STACK": stack_name}
        done = subprocess.run(
            ["bash", "-e", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode == 0) is accepted, done.stdout
        assert ("pulumi stack init dev --secrets-provider" in done.stdout) is not accepted


def test_a_reference_to_another_stack_of_a_bucket_names_the_organization_organization(stack: Stack) -> None:
    """`Pulumi.staging.yaml` as it stands, with the endpoints of the sandbox."""
    staging = yaml.safe_load((ROOT / "Pulumi.staging.yaml").read_text(encoding="utf-8"))["config"]
    references = set(re.findall(r"stack://[\w./-]+#", json.dumps(staging)))
    assert references == {REFERENCE}
    ours, name, program = stack.project, stack.name, stack.program
    foundation = ours.parent / "foundation"
    foundation.mkdir()
    (foundation / "Pulumi.yaml").write_text("name: notes-foundation\nruntime: python\n")
    stack.project, stack.name, stack.program = foundation, "staging", _export_ids
    stack.run("stack", "init", "staging")
    stack.run("up", "--yes", "--skip-preview")
    stack.project, stack.name, stack.program = ours, name, program
    pool = [{"id": f"{REFERENCE}userPoolId", "clients": [f"{REFERENCE}userPoolClientId"]}]
    stack.up(userPools=pool, api={"id": f"{REFERENCE}apiId", "stage": "v1"})
    assert stack.outputs()["logins"] == ["cognito-idp.us-east-1.amazonaws.com/us-east-1_NotesDev1"]
    foreign = [{"id": "stack://acme/notes-foundation/staging#userPoolId", "clients": ["1h57kf5cpq17m0eml12notesde"]}]
    assert "organization name must be 'organization'" in stack.preview(userPools=foreign, fails=True)


def _export_ids() -> None:
    for name, value in {
        "userPoolId": "us-east-1_NotesDev1",
        "userPoolClientId": "1h57kf5cpq17m0eml12notesde",
        "apiId": "n0tesdev01",
    }.items():
        pulumi.export(name, value)
