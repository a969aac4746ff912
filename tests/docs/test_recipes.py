"""The recipes of `docs/recipes.md`, deployed as they stand there under the policy pack, and tried by people who sign in.

Every grant is tried by a signed-in user in the sandbox, once allowed and once denied, where the sandbox has the service;
and by the evaluator, on the document that was deployed, where it has not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from policies.identity_scope.iam.documents import parse
from policies.identity_scope.iam.evaluator import Applicable, Request, decide
from sandbox.aws.server import Sandbox
from sandbox.engine import in_process, stack_files
from sandbox.engine.in_process import Run
from sandbox.engine.policy_gate import PolicyGate, PolicyViolation
from sandbox.engine.policy_pack import Analyzer
from sandbox.scenario import account, prerequisites
from sandbox.scenario.access_checks import AccessChecks, call_api
from sandbox.scenario.attempts import Person
from tests.conftest import ROOT, Clock, Deployed

TEXT = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
ISSUER = "cognito-identity.amazonaws.com"


def recipes(language: str) -> Iterator[tuple[str, str]]:
    """(heading, block) of each block of code in a language."""
    heading = ""
    for match in re.finditer(r"^### ([^\n]+)$|^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL):
        heading = match.group(1) or heading
        if match.group(2) == language:
            yield heading, match.group(3)


RECIPES = dict(recipes("yaml"))
CODE = dict(recipes("python"))


@pytest.fixture(scope="module")
def pack() -> Iterator[Analyzer]:
    with Analyzer(ROOT / "policies") as running:
        yield running


@contextmanager
def cooked(name: str, pack: Analyzer, config: dict[str, Any] | None = None) -> Iterator[Deployed]:
    """A recipe deployed under the pack, which is told what the component says that it must be told, or `config`."""
    block = yaml.safe_load(RECIPES[name])
    files = stack_files.read(ROOT, "dev", block)
    clock = Clock()
    main = ROOT / "__main__.py"
    wanted = in_process.check(main, files.project, "dev", files.config, {}).outputs["packConfig"]
    with Sandbox(now=clock).running() as sandbox:
        app = account.read_app(files.app_config())
        off_limits = account.build(sandbox, app)
        prerequisites.create_prerequisites(sandbox, app, files.app_config())
        pack.configure(wanted if config is None else config)
        enforced = PolicyGate(pack)
        run = in_process.run(sandbox, main, files.project, "dev", files.config, enforced)
        enforced.finish(run)
        yield Deployed(sandbox, app, off_limits, run, clock)


@pytest.mark.parametrize("name", list(RECIPES))
def test_a_recipe_is_deployed_under_the_pack_and_every_attempt_ends_as_it_should(name: str, pack: Analyzer) -> None:
    with cooked(name, pack) as found:
        rows = list(found.access_checks().rows())
        assert [row for row in rows if not row.ok] == []
        assert len(rows) >= 16


@pytest.mark.parametrize("name", [n for n in RECIPES if "packConfig" in TEXT.split(f"### {n}\n")[1].split("\n##")[0]])
def test_what_is_shared_is_stopped_until_the_pack_is_told(name: str, pack: Analyzer) -> None:
    with pytest.raises(PolicyViolation), cooked(name, pack, {}):
        pass


@pytest.mark.parametrize("name", list(CODE))
def test_a_recipe_of_code_runs(name: str) -> None:
    files = stack_files.read(ROOT, "dev")
    with Sandbox().running() as sandbox:
        app = account.read_app(files.app_config())
        off_limits = account.build(sandbox, app)
        run = in_process.run(sandbox, lambda: exec(CODE[name], {}), files.project, "dev", files.config)
        access_checks = AccessChecks(sandbox, app, off_limits, run.outputs["identityPoolId"], run.outputs["logins"][0])
        assert [row for row in access_checks.rows() if not row.ok] == []


Try = Callable[[Deployed, Person], None]


def allowed(attempt: Callable[[], Any]) -> None:
    attempt()


def denied(attempt: Callable[[], Any]) -> None:
    with pytest.raises(ClientError) as error:
        attempt()
    assert error.value.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException", "403")


def _one_more_folder(found: Deployed, me: Person) -> None:
    s3 = found.sandbox.client("s3", "us-east-1", me.credentials)
    admin = found.sandbox.client("s3", "us-east-1")
    mine = f"exports/{me.identity}/a"
    admin.put_object(Bucket="notes-dev-exports", Key=mine, Body=b"a")
    allowed(lambda: s3.get_object(Bucket="notes-dev-exports", Key=mine))
    denied(lambda: s3.put_object(Bucket="notes-dev-exports", Key=mine, Body=b"b"))
    denied(lambda: s3.get_object(Bucket="notes-dev-exports", Key="exports/another/a"))


def _levels(found: Deployed, me: Person) -> None:
    s3 = found.sandbox.client("s3", "us-east-1", me.credentials)
    other = found.access_checks().sign_in("carol")
    theirs = found.sandbox.client("s3", "us-east-1", other.credentials)
    bucket = "notes-dev-media"
    for level in ("protected", "private"):
        allowed(lambda level=level: theirs.put_object(Bucket=bucket, Key=f"{level}/{other.identity}/a", Body=b"a"))  # type: ignore[misc]
    allowed(lambda: s3.put_object(Bucket=bucket, Key="public/a", Body=b"a"))
    allowed(lambda: s3.list_objects_v2(Bucket=bucket, Prefix="protected/"))
    allowed(lambda: s3.get_object(Bucket=bucket, Key=f"protected/{other.identity}/a"))
    denied(lambda: s3.put_object(Bucket=bucket, Key=f"protected/{other.identity}/a", Body=b"b"))
    denied(lambda: s3.get_object(Bucket=bucket, Key=f"private/{other.identity}/a"))
    denied(lambda: s3.list_objects_v2(Bucket=bucket, Prefix="private/"))


def _shared(found: Deployed, me: Person) -> None:
    s3 = found.sandbox.client("s3", "us-east-1", me.credentials)
    found.sandbox.client("s3", "us-east-1").put_object(Bucket="notes-dev-templates", Key="templates/a", Body=b"a")
    allowed(lambda: s3.get_object(Bucket="notes-dev-templates", Key="templates/a"))
    denied(lambda: s3.put_object(Bucket="notes-dev-templates", Key="templates/a", Body=b"b"))


def _another_api(found: Deployed, me: Person) -> None:
    at = f"{found.sandbox.endpoint}/execute-api/n0tesht1pa/v2"
    allowed(lambda: call_api(f"{at}/search", "us-east-1", me.credentials))
    denied(lambda: call_api(f"{at}/search", "us-east-1", me.credentials, "POST"))
    denied(lambda: call_api(f"{at}/admin", "us-east-1", me.credentials))


def _rows_of_a_table(found: Deployed, me: Person) -> None:
    table = found.sandbox.client("dynamodb", "us-east-1", me.credentials)
    other = found.access_checks().sign_in("carol")

    def key(person: Person) -> dict[str, Any]:
        return {"owner": {"S": person.identity}, "id": {"S": "1"}}

    def query(person: Person) -> Any:
        values = {":me": {"S": person.identity}}
        where = {"KeyConditionExpression": "#o = :me", "ExpressionAttributeNames": {"#o": "owner"}}
        return table.query(TableName="notes-dev", ExpressionAttributeValues=values, **where)

    allowed(lambda: table.put_item(TableName="notes-dev", Item=key(me)))
    allowed(lambda: table.get_item(TableName="notes-dev", Key=key(me)))
    allowed(lambda: query(me))
    allowed(lambda: table.batch_get_item(RequestItems={"notes-dev": {"Keys": [key(me)]}}))
    denied(lambda: table.put_item(TableName="notes-dev", Item=key(other)))
    denied(lambda: table.get_item(TableName="notes-dev", Key=key(other)))
    denied(lambda: query(other))
    denied(
        lambda: table.batch_get_item(RequestItems={"notes-dev": {"Keys": [key(me), key(other) | {"id": {"S": "2"}}]}})
    )
    denied(lambda: table.scan(TableName="notes-dev"))


def _by_sub(found: Deployed, me: Person) -> None:
    """The same name in the folder and in the table, which a back end gets from the user pool."""
    other = found.access_checks().sign_in("carol")
    s3 = found.sandbox.client("s3", "us-east-1", me.credentials)
    table = found.sandbox.client("dynamodb", "us-east-1", me.credentials)
    for name, check in ((me.claims["sub"], allowed), (other.claims["sub"], denied), (me.identity, denied)):
        key = {"owner": {"S": name}, "id": {"S": "1"}}
        check(lambda name=name: s3.put_object(Bucket="notes-dev-exports", Key=f"{name}/a", Body=b"a"))  # type: ignore[misc]
        check(lambda key=key: table.put_item(TableName="notes-dev", Item=key))  # type: ignore[misc]


def _premium(found: Deployed, me: Person) -> None:
    """The trial's people have the first rule's claim, and so the mapped role."""
    assert "mapped-premium" in found.sandbox.identity.sessions[me.credentials[0]].role_arn
    s3 = found.sandbox.client("s3", "us-east-1", me.credentials)
    allowed(lambda: s3.put_object(Bucket="notes-dev-archive", Key=f"archive/{me.identity}/a", Body=b"a"))
    denied(lambda: s3.put_object(Bucket="notes-dev-archive", Key="archive/another/a", Body=b"a"))


def _editors(found: Deployed, me: Person) -> None:
    """The trial's people are in the first group."""
    assert "group-editors" in found.sandbox.identity.sessions[me.credentials[0]].role_arn
    at = f"{found.sandbox.endpoint}/execute-api/n0teseditr/dev"
    allowed(lambda: call_api(f"{at}/publish/1", "us-east-1", me.credentials, "POST"))
    denied(lambda: call_api(f"{at}/publish/1", "us-east-1", me.credentials, "GET"))


def _guests(found: Deployed, me: Person) -> None:
    guest = found.access_checks().vend("guest", None)
    s3 = found.sandbox.client("s3", "us-east-1", guest.credentials)
    found.sandbox.client("s3", "us-east-1").put_object(Bucket="notes-dev-public", Key="notes/a", Body=b"a")
    allowed(lambda: s3.get_object(Bucket="notes-dev-public", Key="notes/a"))
    denied(lambda: s3.put_object(Bucket="notes-dev-public", Key="notes/a", Body=b"b"))
    mine = f"{guest.identity}/a"
    denied(lambda: s3.put_object(Bucket=found.app.bucket, Key=mine, Body=b"a"))


def _tags(found: Deployed, me: Person) -> None:
    assert dict(found.sandbox.identity.sessions[me.credentials[0]].tags) == {"username": "dave"}


TRIES: dict[str, Try] = {
    "Another folder of the user": _one_more_folder,
    "Amplify's file access levels": _levels,
    "A shared folder": _shared,
    "Another API, REST or HTTP": _another_api,
    "Items of a DynamoDB table": _rows_of_a_table,
    "Folders, items and topics by `sub` or by tenant": _by_sub,
    "Role mapping by rules": _premium,
    "Groups of a user pool": _editors,
    "Guests": _guests,
    "Attributes for access control": _tags,
}


@pytest.mark.parametrize("name", list(TRIES))
def test_what_a_recipe_grants_is_allowed_and_nothing_beside(name: str, pack: Analyzer) -> None:
    with cooked(name, pack) as found:
        TRIES[name](found, found.access_checks().sign_in("dave"))


ME = "us-east-1:11111111-2222-4333-8444-555555555555"
POOL = "us-east-1:aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb"
HERE = "us-east-1:123456789012"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
THROUGH_S3 = {"kms:viaservice": ("s3.us-east-1.amazonaws.com",)}
CONTEXT = "kms:encryptioncontext:aws:s3:arn"

EVALUATED: list[tuple[str, str, str, dict[str, tuple[str, ...]], bool]] = [
    (
        "AppSync",
        "appsync:GraphQL",
        f"arn:aws:appsync:{HERE}:apis/{'abcdefghijklmnopqrstuvwxyz'}/types/Query/fields/listNotes",
        {},
        True,
    ),
    (
        "AppSync",
        "appsync:GraphQL",
        f"arn:aws:appsync:{HERE}:apis/{'abcdefghijklmnopqrstuvwxyz'}/types/Mutation/fields/add",
        {},
        True,
    ),
    (
        "AppSync",
        "appsync:GraphQL",
        f"arn:aws:appsync:{HERE}:apis/{'abcdefghijklmnopqrstuvwxyz'}/types/Query/fields/listUsers",
        {},
        False,
    ),
    ("AWS IoT topics", "iot:Connect", f"arn:aws:iot:{HERE}:client/{ME}", {}, True),
    ("AWS IoT topics", "iot:Connect", f"arn:aws:iot:{HERE}:client/another", {}, False),
    ("AWS IoT topics", "iot:Publish", f"arn:aws:iot:{HERE}:topic/notes/{ME}/new", {}, True),
    ("AWS IoT topics", "iot:Subscribe", f"arn:aws:iot:{HERE}:topicfilter/notes/{ME}/#", {}, True),
    ("AWS IoT topics", "iot:Publish", f"arn:aws:iot:{HERE}:topic/notes/another/new", {}, False),
    ("AWS IoT topics", "iot:Subscribe", f"arn:aws:iot:{HERE}:topicfilter/notes/#", {}, False),
    ("A Lambda function", "lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:notes-thumbnail:live", {}, True),
    ("A Lambda function", "lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:notes-thumbnail", {}, False),
    ("Any other permission", "translate:TranslateText", "*", {}, True),
    ("Any other permission", "translate:TranslateDocument", "*", {}, False),
    (
        "An encrypted bucket",
        "kms:Decrypt",
        KEY,
        {**THROUGH_S3, CONTEXT: (f"arn:aws:s3:::notes-dev-uploads/{ME}/a",)},
        True,
    ),
    (
        "An encrypted bucket",
        "kms:GenerateDataKey",
        KEY,
        {**THROUGH_S3, CONTEXT: ("arn:aws:s3:::notes-dev-uploads",)},
        True,
    ),
    (
        "An encrypted bucket",
        "kms:Decrypt",
        KEY,
        {**THROUGH_S3, CONTEXT: ("arn:aws:s3:::notes-dev-uploads/another/a",)},
        False,
    ),
    ("An encrypted bucket", "kms:Decrypt", KEY, {CONTEXT: (f"arn:aws:s3:::notes-dev-uploads/{ME}/a",)}, False),
]


@pytest.mark.parametrize(
    ("name", "action", "resource", "context", "expected"),
    EVALUATED,
    ids=[f"{n}: {a} {r[-40:]}" for n, a, r, _, _ in EVALUATED],
)
def test_what_the_sandbox_has_no_service_for_is_decided_by_the_evaluator(
    name: str, action: str, resource: str, context: dict[str, tuple[str, ...]], expected: bool, pack: Analyzer
) -> None:
    document = _documents(name)
    who = {f"{ISSUER}:sub": (ME,), f"{ISSUER}:aud": (POOL,)}
    decision = decide(Request(action, resource, {**who, **context}), Applicable((("granted", parse(document)),)))
    assert decision.allowed is expected


def _documents(name: str) -> str:
    """The authenticated role's document of a recipe, as a preview shows it."""
    block = yaml.safe_load(RECIPES[name])
    files = stack_files.read(ROOT, "dev", block)
    with Sandbox().running() as sandbox:
        run: Run = in_process.run(sandbox, ROOT / "__main__.py", files.project, "dev", files.config, preview=True)
    policy = next(r for r in run.registrations if r.type_.endswith(":RolePolicy"))
    text: str = policy.inputs["policy"]
    assert json.loads(text)
    return text


def test_every_kind_of_grant_and_provider_has_a_recipe_that_runs() -> None:
    from components.scoped_identity.grants import KINDS
    from components.scoped_identity.providers import SOCIAL
    from components.scoped_identity.reader import shown

    text = "\n".join(RECIPES.values())
    for word in (*map(shown, KINDS), *SOCIAL, "twitter", "oidc", "saml", "developer"):
        assert re.search(rf"\b{word}:", text), word
    tried = {*TRIES, *(name for name, *_ in EVALUATED)}
    assert {name for name, block in RECIPES.items() if "grants:" in block} <= tried
