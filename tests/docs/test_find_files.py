"""The page on finding a user's files: its settings, its script and its table of claims, run as they stand there."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from sandbox.aws.server import Sandbox
from sandbox.engine import in_process, stack_files
from sandbox.engine.policy_gate import PolicyGate, PolicyViolation
from sandbox.engine.policy_pack import Analyzer
from sandbox.scenario import account
from sandbox.scenario.attempts import Person
from tests.conftest import ROOT, Clock, Deployed, deploy, s3_of

TEXT = (ROOT / "docs" / "find-files.md").read_text(encoding="utf-8")
REGION, BUCKET = "us-east-1", "notes-dev-uploads"
POOL, CLIENT = "us-east-1_NotesDev1", "1h57kf5cpq17m0eml12notesde"


def blocks(language: str) -> list[str]:
    """The blocks of code in a language, without their indentation in a list."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", TEXT, re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(text) for _, text in found]


def settings(block: str) -> dict[str, Any]:
    return {key.partition(":")[2]: value for key, value in yaml.safe_load(block).items()}


BY_SUB, BY_TENANT, BOTH, AFTER = blocks("yaml")


@pytest.fixture(scope="module")
def pack() -> Iterator[Analyzer]:
    with Analyzer(ROOT / "policies") as running:
        yield running


@contextmanager
def under_the_pack(pack: Analyzer, changes: dict[str, Any]) -> Iterator[Deployed]:
    """The dev stack with these settings, deployed under the pack with what `packConfig` declares."""
    files = stack_files.read(ROOT, "dev", {f"scoped-identity:{key}": value for key, value in changes.items()})
    main, clock = ROOT / "__main__.py", Clock()
    declared = in_process.check(main, files.project, "dev", files.config, {}).outputs["packConfig"]
    with Sandbox(now=clock).running() as sandbox:
        app = account.read_app(files.app_config())
        off_limits = account.build(sandbox, app)
        pack.configure(declared)
        gate = PolicyGate(pack)
        run = in_process.run(sandbox, main, files.project, "dev", files.config, gate)
        gate.finish(run)
        yield Deployed(sandbox, app, off_limits, run, clock)


def test_a_tenants_folder_is_deployed_and_every_attempt_ends_as_it_should(pack: Analyzer) -> None:
    with under_the_pack(pack, settings(BY_TENANT)) as found:
        rows = list(found.access_checks().rows())
        assert [row for row in rows if not row.ok] == []
        assert "a colleague of A" in {row.who for row in rows}


@pytest.mark.parametrize("block", [BY_SUB, BOTH, AFTER])
def test_the_settings_are_deployed_and_every_attempt_ends_as_it_should(block: str, pack: Analyzer) -> None:
    with under_the_pack(pack, settings(block)) as found:
        rows = list(found.access_checks().rows())
        assert [row for row in rows if not row.ok] == []
        assert "ann/x" in {row.who for row in rows}


def _keys(found: Deployed, prefix: str) -> dict[str, bytes]:
    s3 = found.sandbox.client("s3", REGION)
    names = [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]
    return {n.removeprefix(prefix): s3.get_object(Bucket=BUCKET, Key=n)["Body"].read() for n in names}


def test_the_script_moves_a_users_files_and_keeps_what_is_newer(monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = blocks("python")
    script: dict[str, Any] = {}
    exec(code, script)
    for found in deploy(**settings(BOTH)):
        person, other = (found.access_checks().sign_in(name) for name in ("ann", "ann/x"))
        old, new, theirs = f"{person.identity}/", f"{person.claims['sub']}/", f"{other.identity}/"
        admin = found.sandbox.client("s3", REGION)
        files = {"a": b"old", "deep/er/b c": b"b", "both": b"old", "large": b"x" * (9 * 2**20)}
        for name, body in {**files, "": b"a marker of the folder"}.items():
            admin.put_object(Bucket=BUCKET, Key=old + name, Body=body)
        s3_of(found, person).put_object(Bucket=BUCKET, Key=f"{new}both", Body=b"new")
        admin.put_object(Bucket=BUCKET, Key=f"{theirs}a", Body=b"theirs")
        monkeypatch.setenv("AWS_ENDPOINT_URL", found.sandbox.endpoint)
        token = account.id_token(found.sandbox, POOL, CLIENT, "ann")
        outputs = found.run.outputs
        arguments = (REGION, outputs["identityPoolId"], outputs["logins"][0], token, BUCKET)
        for _ in range(2):  # and again, as a client does that was interrupted
            script["move_files"](*arguments)
            assert _keys(found, new) == {**files, "both": b"new", "": b"a marker of the folder"}
            assert _keys(found, old) == {}
        assert _keys(found, theirs) == {"a": b"theirs"}


def test_while_files_are_moved_the_old_folder_is_read_and_no_longer_written() -> None:
    for found in deploy(**settings(BOTH)):
        person = found.access_checks().sign_in("ann")
        s3 = s3_of(found, person)
        found.sandbox.client("s3", REGION).put_object(Bucket=BUCKET, Key=f"{person.identity}/a", Body=b"a")
        assert s3.get_object(Bucket=BUCKET, Key=f"{person.identity}/a")["Body"].read() == b"a"
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.put_object(Bucket=BUCKET, Key=f"{person.identity}/b", Body=b"")
        s3.put_object(Bucket=BUCKET, Key=f"{person.claims['sub']}/b", Body=b"")


def test_a_client_computes_its_folder_from_the_output() -> None:
    for found in deploy(**settings(BY_SUB)):
        folder = found.run.outputs["amplify"]["custom"]["folder"]
        person = found.access_checks().sign_in("ann")
        key = f"{folder['prefix']}{person.claims[folder['claim']]}/a"
        s3_of(found, person).put_object(Bucket=folder["bucket"], Key=key, Body=b"a")


# The table of claims. Each row is a statement in one stack, with a tag of its own, and two users who try it.

ROWS = [
    (resource.strip("` "), re.sub(r"`", "", claim).strip(), result.strip())
    for resource, claim, result in re.findall(r"^\| (`BUCKET/T[^|]*) \| ([^|]*) \| ([^|]*) \|$", TEXT, re.MULTILINE)
]
NAMES = {"BUCKET/T/*": ("ann", "ann/x"), "BUCKET/T-files/*": ("ann", "ann-files/x"), "BUCKET/T": ("ann", "ann/x")}
"""The users of each form; the first is the one who reads."""


def _claim(text: str) -> str | None:
    return None if text.startswith("none") else text.partition(" ")[0]


def _statement(index: int, resource: str) -> dict[str, Any]:
    path = resource.removeprefix("BUCKET/").replace("T", f"${{aws:PrincipalTag/tag{index}}}", 1)
    arn = f"arn:aws:s3:::{BUCKET}/row{index}/{path}"
    return {"statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": arn}}


@pytest.fixture
def leaking() -> Iterator[Deployed]:
    """The stack with every row's statement, which the policy pack would stop."""
    claims = {f"tag{i}": claim for i, (_, text, _) in enumerate(ROWS) if (claim := _claim(text)) is not None}
    pools = [{"id": POOL, "clients": [CLIENT], "principalTags": {"claims": claims}}]
    grants = [_statement(i, resource) for i, (resource, _, _) in enumerate(ROWS)]
    for found in deploy(userPools=pools, authenticated={"grants": grants}):
        idp = found.sandbox.client("cognito-idp", REGION)
        schema = {"Name": "tenant", "AttributeDataType": "String", "Mutable": True}
        idp.add_custom_attributes(UserPoolId=POOL, CustomAttributes=[schema])
        yield found


def _change_email(found: Deployed, reader: str, owner: Person) -> None:
    token = account.tokens(found.sandbox, POOL, CLIENT, reader)["AccessToken"]
    attribute = {"Name": "email", "Value": owner.claims["email"]}
    found.sandbox.client("cognito-idp", REGION).update_user_attributes(AccessToken=token, UserAttributes=[attribute])


@pytest.mark.parametrize("index", range(len(ROWS)), ids=[f"{resource} {claim}" for resource, claim, _ in ROWS])
def test_a_row_of_the_table_happens(leaking: Deployed, index: int) -> None:
    resource, text, result = ROWS[index]
    claim = _claim(text)
    users = [f"{name}{{}}" for name in NAMES[resource]]
    reader, owner = (f"r{index}{name}".replace("{}", "") for name in users)
    if resource == "BUCKET/T-files/*":
        owner = f"{reader}-files/x"
    checks = leaking.access_checks()
    people = [
        checks.sign_in(name, claims=[("email", f"{i}@example.com"), ("custom:tenant", "acme")])
        for i, name in enumerate((reader, owner))
    ]
    if claim == "email":
        _change_email(leaking, reader, people[1])
        people[0] = checks.sign_in_again(reader)
    value = people[1].claims[claim or "sub"]
    key = f"row{index}/{resource.removeprefix('BUCKET/').replace('T', value, 1).replace('*', 'secret')}"
    leaking.sandbox.client("s3", REGION).put_object(Bucket=BUCKET, Key=key, Body=b"secret")

    def read(person: Person) -> bool:
        try:
            s3_of(leaking, person).get_object(Bucket=BUCKET, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] == "AccessDenied":
                return False
            raise
        return True

    assert read(people[1]) is (claim is not None), "the owner"
    assert read(people[0]) is not result.startswith("isolated"), "another user"


@pytest.mark.parametrize("index", range(len(ROWS)), ids=[f"{resource} {claim}" for resource, claim, _ in ROWS])
def test_the_pack_stops_the_rows_that_leak_and_no_other(pack: Analyzer, index: int) -> None:
    resource, text, result = ROWS[index]
    claim = _claim(text)
    tags = {"principalTags": {"claims": {f"tag{index}": claim}}} if claim is not None else {}
    changes = {
        "userPools": [{"id": POOL, "clients": [CLIENT], **tags}],
        "authenticated": {"grants": [_statement(index, resource)]},
    }
    stopped = None
    try:
        with under_the_pack(pack, changes):
            pass
    except PolicyViolation as error:
        stopped = str(error)
    assert (stopped is None) is result.startswith("isolated"), stopped


def test_the_table_has_the_forms_that_people_use() -> None:
    assert len(ROWS) == 7
    assert sum(result.startswith("isolated") for _, _, result in ROWS) == 3
