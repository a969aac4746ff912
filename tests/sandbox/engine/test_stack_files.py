"""Bad project and stack files: each problem is one line with its place, the exit code is 2, and nothing is created."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sandbox.cli import commands
from sandbox.engine import stack_files
from sandbox.engine.strict_yaml import StackFileError
from tests.conftest import ROOT

GOOD = (ROOT / "Pulumi.dev.yaml").read_text(encoding="utf-8")
REGION = "aws:region: us-east-1"
NAME = "scoped-identity:poolName: notes-dev"


def edited(old: str, new: str) -> str:
    assert GOOD.count(old) == 1, old
    return GOOD.replace(old, new)


def named(value: str) -> str:
    return edited(NAME, f"scoped-identity:poolName: {value}")


BOMB = "x-a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"x-{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
BAD: dict[str, tuple[str | bytes, str]] = {
    "a key twice": (GOOD + "config: {}\n", "line 16: `config` is set twice, first on line 2; remove one of the two"),
    "a setting twice": (
        edited(NAME, f"{NAME}\n  scoped-identity:protect: true"),
        "line 13: `scoped-identity:protect` is set twice, first on line 5",
    ),
    "an inner key twice": (
        edited("    app: notes", "    app: notes\n    app: others"),
        "line 15: `app` is set twice, first on line 14",
    ),
    "the same key, qualified and not": (
        edited(NAME, f"{NAME}\n  poolName: b"),
        "line 5: `scoped-identity:poolName` is set twice",
    ),
    "no region": (edited(f"  {REGION}\n", ""), "`aws:region` is required: an AWS region, such as `eu-central-1`"),
    "an empty region": (edited(REGION, "aws:region:"), "line 3: `aws:region` is required"),
    "an unknown region": (edited(REGION, "aws:region: us-east-9"), "line 3: `aws:region` must be an AWS region"),
    "no region's name": (edited(REGION, "aws:region: [us-east-1]"), "line 3: `aws:region` must be an AWS region"),
    "a number as a region": (edited(REGION, "aws:region: 7"), "line 3: `aws:region` must be an AWS region"),
    "a region without Cognito": (edited(REGION, "aws:region: us-iso-east-1"), "`us-iso-east-1` must be an AWS region"),
    "a pool in an unknown region": (
        edited("us-east-1_NotesDev1", "us-east-9_NotesDev1"),
        "userPools[0].id: `us-east-9` must be an AWS region",
    ),
    "an API in an unknown region": (
        edited("    id: n0tesdev01", "    id: n0tesdev01\n    region: us-east-9"),
        "api.region: `us-east-9` must be an AWS region",
    ),
    "Latin-1": (GOOD.replace("notes-dev", "nötes", 1).encode("latin-1"), "line 4: must be UTF-8 text"),
    "UTF-16": (GOOD.encode("utf-16"), "line 1: must be UTF-8 text"),
    "a NUL": (named('"a\\0b"').replace("\\0", "\x00"), "line 4: a control character is not valid in YAML"),
    "an escaped NUL": (named('"a\\0b"'), "contains a control character"),
    "an escape sequence": (named('"a\\e[31mb"'), "contains a control character"),
    "a lone surrogate": (named('"\\uD800"'), "line 4"),
    "a control character in a key": (edited(NAME, '"a\\ab": x'), "contains a control character"),
    "a key of two lines": (edited(NAME, '"a\\nb": x'), "a key must be one line of printable text"),
    "a key that reads from right to left": (edited(NAME, '"a\\u202Eb": x'), "a key must be one line of printable text"),
    "a bomb": (f"{BOMB}{GOOD}", "must not have more than 20000 values, aliases included"),
    "a list in itself": (named("&a [*a]"), "line 4: an alias must not refer to the value that contains it"),
    "a map in itself": (named("&a {b: {c: *a}}"), "an alias must not refer to the value that contains it"),
    "an alias of nothing": (named("*nothing"), "line 4: not YAML: found undefined alias"),
    "deep lists": (named("[" * 5000 + "]" * 5000), "line 4: values must not be nested more than 40 deep"),
    "deep maps": (named("{a: " * 60 + "1" + "}" * 60), "values must not be nested more than 40 deep"),
    "a large file": (GOOD + "#" * 300_000, "must not be larger than 256 KiB"),
    "a date": (named("2024-01-01"), "line 4: `2024-01-01` is a date in YAML; write it in quotes"),
    "a time": (named("2024-01-01T10:00:00Z"), "is a date in YAML; write it in quotes"),
    "a date as a tag": (edited("    app: notes", "    app: 2024-01-01"), "line 14: `2024-01-01` is a date"),
    "a date as a key": (edited("    app: notes", "    2024-01-01: notes"), "a key must be text; write `2024-01-01`"),
    "a set": (named("!!set {a, b}"), "line 4: a value with the tag `!!set` is not supported"),
    "an ordered map": (named("!!omap [a: 1]"), "a value with the tag `!!omap` is not supported"),
    "binary": (named("!!binary aGVsbG8="), "a value with the tag `!!binary` is not supported"),
    "a Python object": (named("!!python/object/apply:os.getcwd []"), "a value with the tag `!!python/object/apply:os"),
    "a local tag": (named("!secret x"), "a value with the tag `!secret` is not supported"),
    "an integer that is none": (named("!!int x"), "`x` is not a value of the type `int`"),
    "a leading zero": (named("0123"), "`0123` has a leading zero, so that Pulumi reads a different number"),
    "a huge number": (named("9" * 5000), "is too large a number"),
    "infinity": (named(".inf"), "`.inf` is not a finite number"),
    "an overflow": (named("1e999"), "`1e999` is not a finite number"),
    "no number": (named(".nan"), "`.nan` is not a finite number"),
    "a number as a key": (edited("    app: notes", "    1: notes"), "line 14: a key must be text; write `1` in quotes"),
    "null as a key": (edited("    app: notes", "    ~: notes"), "a key must be text; write `~` in quotes"),
    "a list as a key": (edited("    app: notes", "    ? [a]\n    : notes"), "line 14: a key must be text"),
    "a merge of text": (edited("    app: notes", "    <<: notes"), "`<<` must refer to a map, or to a list of maps"),
    "a tab": (GOOD.replace("  scoped", "\tscoped", 1), "not YAML: "),
    "an open bracket": (GOOD.replace("config:", "config: [", 1), "not YAML: "),
    "two documents": (f"{GOOD}---\n{GOOD}", "line 16: not YAML: but found another document"),
    "a list": ("- a\n", "line 1: must be a map with the key `config`"),
    "text": ("hello\n", "line 1: must be a map with the key `config`"),
    "an empty file": ("", "Pulumi.dev.yaml: `aws:region` is required"),
    "config as a list": ("config: [a]\n", "line 1: `config` must be a map"),
    "a misspelt config": (GOOD.replace("config:", "confg:", 1), "line 2: `confg` is not a key of a stack file"),
    "a secret without a salt": (named("{secure: 'v1:a:b'}"), "the file has no `encryptionsalt`"),
    "a bad salt": (f"encryptionsalt: v1:x\n{named('{secure: x}')}", "`encryptionsalt` is not of the form"),
    "an unknown setting": (edited(NAME, f"{NAME}\n  scoped-identity:poolNmae: x"), "poolNmae: unknown setting"),
    "a wrong name": (named("[a]"), "poolName: "),
    "a wrong bucket": (edited("bucket: notes-dev-uploads", "bucket: 7"), "uploads.bucket: "),
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of its own, whose files a test may spoil."""
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml", "__main__.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.setattr(commands, "ROOT", tmp_path)
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "correct horse")
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """The message of a command that must refuse its input before it creates anything."""
    assert commands.main(["up", "--no-pack", *options]) == 2
    printed = capsys.readouterr()
    assert "+ aws:" not in printed.out
    assert "Traceback" not in printed.err
    assert printed.err.startswith("error: ")
    assert all(character.isprintable() for character in printed.err.replace("\n", ""))
    assert all(len(line) < 400 for line in printed.err.splitlines())
    return printed.err


@pytest.mark.parametrize("name", BAD)
def test_a_bad_stack_file_is_refused(name: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, message = BAD[name]
    (project / "Pulumi.dev.yaml").write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    assert message in refused(capsys)


def test_every_problem_of_a_file_is_reported_at_once(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = edited("    app: notes", "    app: 2024-01-01\n    app: x\n    7: y")
    (project / "Pulumi.dev.yaml").write_text(text.replace(NAME, "scoped-identity:poolName: !!set {a}"))
    lines = refused(capsys).splitlines()
    assert [line.partition("Pulumi.dev.yaml, line ")[2].partition(":")[0] for line in lines] == ["4", "14", "15", "16"]


def test_an_unknown_key_does_not_hide_the_other_problems(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = edited(REGION, "aws:region: mars-1") + "encryption: x\n"
    (project / "Pulumi.dev.yaml").write_text(text)
    message = refused(capsys)
    assert "`encryption` is not a key of a stack file" in message
    assert "`aws:region` must be an AWS region" in message
    (project / "Pulumi.dev.yaml").write_text(
        edited(NAME, f"{NAME}\n  scoped-identity:nmae: x").replace("notes-dev-uploads", "s3://x")
    )
    message = refused(capsys)
    assert "nmae: unknown setting" in message
    assert "uploads.bucket: `s3://x` is a URL" in message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Pulumi.yaml: `name` is required"),
        (b"name: 7\n", "Pulumi.yaml: `name` is required"),
        (b"name: a\nname: b\n", "Pulumi.yaml, line 2: `name` is set twice"),
        (b"name: a\nconfig: [a]\n", "Pulumi.yaml, line 2: `config` must be a map"),
        (b"\xff", "Pulumi.yaml, line 1: must be UTF-8 text"),
    ],
)
def test_a_bad_project_file_is_refused(
    content: bytes, message: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "Pulumi.yaml").write_bytes(content)
    assert message in refused(capsys)


def test_what_is_no_file_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "Pulumi.dev.yaml").unlink()
    (project / "Pulumi.dev.yaml").mkdir()
    assert refused(capsys) == "error: Pulumi.dev.yaml: must be a file\n"
    (project / "Pulumi.yaml").unlink()
    assert refused(capsys) == "error: Pulumi.yaml: No such file or directory\n"


@pytest.mark.parametrize("stack", ["../dev", "", "a\0b", "dev\n", "x" * 200, "a/b"])
def test_what_is_no_stacks_name_is_refused(stack: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "a stack's name must consist of" in refused(capsys, "--stack", stack)


SECRETS = """\
encryptionsalt: v1:l3+Y+j2Mdmk=:v1:UzQl+MC+R+PxCmVK:/SFo+/3KwYCFx9O65hMHlBvh1OuVTw==
config:
  vec:providers:
    twitter:
      consumerSecret:
        secure: v1:dmExBkTHPc9YG2s3:QxyADSqQ6+r27b1RBTUELCsrSqc5/rvxF4ANvMt35Q==
  vec:poolName:
    secure: v1:mUJFx7wt3VhMXp8O:VPXe0is6aJK/XUmVzHRVo5TJRVIJ
  aws:region:
    secure: v1:YZ0r4kj6p2JhtNhb:FF2AxEkVntiUZy/M4wGfrjMBfJWVSU2rduRmTw==
"""
"""Written by `pulumi config set --secret` of Pulumi 3.274.1, with the passphrase `correct horse`."""


def read_secrets(folder: Path, environment: dict[str, str], text: str = SECRETS) -> stack_files.StackFiles:
    (folder / "Pulumi.yaml").write_text("name: vec\nruntime: python\n")
    (folder / "Pulumi.dev.yaml").write_text(text)
    return stack_files.read(folder, "dev", environment=environment)


def test_secrets_are_decrypted_with_the_passphrase(tmp_path: Path) -> None:
    (tmp_path / "passphrase").write_text("correct horse\n")
    for environment in (
        {"PULUMI_CONFIG_PASSPHRASE": "correct horse"},
        {"PULUMI_CONFIG_PASSPHRASE_FILE": str(tmp_path / "passphrase")},
    ):
        files = read_secrets(tmp_path, environment)
        assert files.region == "eu-central-1"
        assert files.app_config() == {
            "providers": {"twitter": {"consumerSecret": "tw1tter-sécret"}},
            "poolName": "notes",
            "region": "eu-central-1",
        }


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "is encrypted, and no passphrase is set; set PULUMI_CONFIG_PASSPHRASE"),
        ({"PULUMI_CONFIG_PASSPHRASE": "wrong"}, "PULUMI_CONFIG_PASSPHRASE is not the passphrase"),
        ({"PULUMI_CONFIG_PASSPHRASE_FILE": "/nothing/here"}, "PULUMI_CONFIG_PASSPHRASE_FILE cannot be read"),
    ],
)
def test_a_secret_that_cannot_be_decrypted_is_named(tmp_path: Path, environment: dict[str, str], message: str) -> None:
    with pytest.raises(StackFileError) as error:
        read_secrets(tmp_path, environment)
    first = str(error.value).splitlines()[0]
    assert first.startswith("Pulumi.dev.yaml, line 5: `vec:providers.twitter.consumerSecret` is encrypted, and ")
    assert message in first


@pytest.mark.parametrize(("old", "new"), [("QxyADS", "QxyADT"), ("dmExBkTHPc9YG2s3:", ""), ("v1:dmEx", "v2:dmEx")])
def test_a_secret_that_was_changed_is_refused(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(StackFileError, match="it was not encrypted with this passphrase and salt"):
        read_secrets(tmp_path, {"PULUMI_CONFIG_PASSPHRASE": "correct horse"}, SECRETS.replace(old, new))


def test_scalars_have_the_types_that_pulumi_gives_them(tmp_path: Path) -> None:
    """As `pulumi config --json` of Pulumi 3.274.1 shows them."""
    (tmp_path / "Pulumi.yaml").write_text("name: p\nconfig:\n  a: {default: 1}\n  b: {value: x}\n  p:c: {default: y}\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(
        "config:\n  aws:region: us-east-1\n  p:yes: yes\n  p:true: true\n  p:number: 1.10\n  p:hex: 0x10\n  p:null: ~\n"
        "  unqualified: 1\n  p:base: &base {k: v, z: 0}\n  p:merged: {<<: *base, z: 1}\n  p:time: 10:30\n"
    )
    config = stack_files.read(tmp_path, "dev").config
    assert config == {
        "aws:region": "us-east-1",
        "p:a": "1",
        "p:b": "x",
        "p:c": "y",
        "p:yes": "yes",
        "p:true": "true",
        "p:number": "1.1",
        "p:hex": "16",
        "p:null": "",
        "p:unqualified": "1",
        "p:base": '{"k": "v", "z": 0}',
        "p:merged": '{"k": "v", "z": 1}',
        "p:time": "10:30",
    }
