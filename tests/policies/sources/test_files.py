"""Files are hostile: sizes, depth, aliases, repeated keys, links, pipes, encodings, and what a terminal would obey."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from policies.identity_scope.sources import files
from policies.identity_scope.sources.files import InputError, ParsedJson, ParsedYaml, Place, parse
from tests.conftest import ROOT
from tests.policies.command.run import check, run, write
from tests.policies.pack.engine import ME, allow, document
from tests.work import at_most

LEAK = document([allow("arn:aws:s3:::notes/*")])
OWN = document([allow(f"arn:aws:s3:::notes/{ME}/*")])


def test_places_in_json() -> None:
    text = '{"a": 1,\n  "b": [10, {"c": "x"},\n  [true]] , "é\\n": {}}\n'
    parsed = parse("f.json", text)
    assert isinstance(parsed, ParsedJson)
    for path, line, column in (
        ((), 1, 1),
        (("a",), 1, 7),
        (("b",), 2, 8),
        (("b", 0), 2, 9),
        (("b", 1, "c"), 2, 19),
        (("b", 2, 0), 3, 4),
        (("é\n",), 3, 20),
        (("b", 9), 2, 8),  # the nearest that there is
        (("a", "b"), 1, 7),
    ):
        assert parsed.place(path) == Place("f.json", line, column), path


def test_places_in_yaml() -> None:
    parsed = parse("f.yaml", "a: 1\nb:\n  - 10\n  - c: !Sub x\n  - !If [x, {d: 1}, 2]\n")
    assert isinstance(parsed, ParsedYaml)
    assert parsed.value == {"a": 1, "b": [10, {"c": {"Fn::Sub": "x"}}, {"Fn::If": ["x", {"d": 1}, 2]}]}
    for path, line, column in (
        (("b",), 3, 3),
        (("b", 1), 4, 5),
        (("b", 1, "c", "Fn::Sub"), 4, 8),
        (("b", 2, "Fn::If", 1, "d"), 5, 17),
        (("b", 7), 3, 3),
    ):
        assert parsed.place(path) == Place("f.yaml", line, column), path


def test_yaml_as_cloudformation_reads_it() -> None:
    text = (
        "Version: 2012-10-17\nAccount: 012345678901\nNumber: 12\nTime: 12:30:45\nFloat: 1.10\nFlag: yes\nNull: ~\n"
        "Att: !GetAtt A.B.C\nRef: !Ref A\nCondition: !Condition X\nMerged: {<<: {a: 1, b: 2}, b: 3}\n"
    )
    assert parse("f.yaml", text).value == {
        "Version": "2012-10-17",
        "Account": "012345678901",
        "Number": 12,
        "Time": "12:30:45",
        "Float": "1.10",
        "Flag": True,
        "Null": None,
        "Att": {"Fn::GetAtt": ["A", "B.C"]},
        "Ref": {"Ref": "A"},
        "Condition": {"Condition": "X"},
        "Merged": {"a": 1, "b": 3},
    }


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 10)}]\n" for n in range(9)
)
REFUSED: dict[str, tuple[str | bytes, str]] = {
    "no JSON": ('{"a": 1,\n}', ":2:1: is not JSON: Expecting property name"),
    "a repeated key": ('{"a": {"b": 1,\n "x": {"b": 2}, "b": 2}}', ":2:17: the key `b` is repeated in one object"),
    "a repeated key in YAML": ("a:\n  b: 1\n  b: 2\n", ":3:3: the key `b` is repeated in one object"),
    "a repeated key by an escape": ('{"a": 1, "\\u0061": 2}', ":1:10: the key `a` is repeated"),
    "no number": ('{"a": NaN}', "`NaN` is not JSON"),
    "deep JSON": ('{"a":' * 100_000 + "1" + "}" * 100_000, "is nested"),
    "rather deep JSON": ("[" * 200 + "]" * 200, "is nested more than 120 levels deep"),
    "deep YAML": ("a: " + "[" * 100_000, "is nested more than 120 levels deep"),
    "deep YAML of braces": ("a: " + "{a: " * 100_000, "is nested more than 120 levels deep"),
    "deep YAML of dashes": ("a:\n " + "- " * 100_000 + "x", "is nested more than 120 levels deep"),
    "deep YAML of keys": ("? " * 100_000 + "x", "is nested more than 120 levels deep"),
    "deep YAML of dashes on several lines": (
        "".join(" " * (2 * 1500 * n) + "- " * 1500 + "\n" for n in range(20)) + " " * 60_000 + "x",
        "is nested more than 120 levels deep",
    ),
    "deep YAML of dashes and spaces": ("- " + "-           " * 50_000 + "x", "is nested more than 120 levels deep"),
    "many dashes": (("-" + " " * 900) * 98 + "x\n" + ("y" * 50 + "\n") * 5, "is nested more than 120 levels deep"),
    "rather deep YAML": ("a: " + "[" * 150 + "]" * 150, "is nested more than 120 levels deep"),
    "deep YAML of lines": ("".join(f"{' ' * n}a:\n" for n in range(200)), "is nested more than 120 levels deep"),
    "a YAML bomb": (BOMB, "stands for more than 500000 values"),
    "a YAML bomb of merges": ("a: &a {x: 1}\nb: &b {<<: [*a, *a]}\nc: {<<: *d}\n", "undefined alias"),
    "an alias of itself": ("a: &a\n  b: *a\n", "is nested more than 120 levels deep"),
    "an object of Python": ("a: !!python/object/apply:os.system ['true']\n", "is not supported"),
    "a tag that is no function": ("a: !Reference x\n", "`!Reference` is not a function of CloudFormation"),
    "two documents": ("a: 1\n---\nb: 2\n", ":2:1: is a second document"),
    "a key that is none": ("[a]: 1\nb: 1\n", ""),
    "a merge of text": ("a: {<<: x}\n", "`<<` must be an object or a list of objects"),
    "binary": (b"\x7fELF\x02\x01\x00\x00\xff\xfe", "is not text in UTF-8"),
    "NUL": (b'{"a": "\x00"}', "is not text in UTF-8"),
    "Latin-1": ('{"a": "é"}'.encode("latin-1"), "is not text in UTF-8"),
    "nothing": ("", "is empty"),
    "a list": ("[1, 2]", "is not supported; expected"),
    "a text": ("just words", "is not supported; expected"),
    "a number of many digits": ('{"a": ' + "1" * 5000 + "}", "is not supported"),
    "control characters": ('{"a": "\x1b[2J"}', "is not JSON: Invalid control character"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, problem = REFUSED[name]
    path = tmp_path / "input"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with at_most(20_000_000):
        found = run(capsys, "check", path)
    assert found.code == 2
    assert found.out == ""
    assert found.err.startswith(str(path))
    assert problem in found.err
    assert len(found.err.splitlines()) == 1


def test_encodings_that_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        path = tmp_path / "leak.json"
        path.write_text(json.dumps(LEAK), encoding=encoding)
        assert check(capsys, path).code == 1, encoding


def test_sizes(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "leak.json", LEAK)
    monkeypatch.setattr(files, "MAX_BYTES", 100)
    assert "MiB, which is not read" in check(capsys, path).err
    monkeypatch.undo()
    monkeypatch.setattr(files, "MAX_YAML_BYTES", 100)
    assert "million characters of YAML" in check(capsys, write(tmp_path / "a.yaml", f"# {'x' * 100}\na: 1")).err
    monkeypatch.setattr(files, "MAX_FILES", 3)
    for number in range(5):
        write(tmp_path / "many" / f"{number}.json", OWN)
    assert "has more than 3 files" in check(capsys, tmp_path / "many").err
    monkeypatch.setattr(files, "MAX_FOLDERS", 3)
    for number in range(5):
        (tmp_path / "folders" / str(number)).mkdir(parents=True)
    assert "has more than 3 folders" in check(capsys, tmp_path / "folders").err


def test_paths(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    for path, problem in (
        (str(tmp_path / "missing.json"), "does not exist"),
        (str(tmp_path / "pipe.json"), "is not a regular file"),
        ("/dev/zero", "is not a regular file"),
        ("a\0b", "is not a path"),
        ("x" * 5000, "cannot be read"),
    ):
        found = run(capsys, "check", path)
        assert found.code == 2, path
        assert problem in found.err, found.err
    found = run(capsys, "check", tmp_path)  # a pipe in a folder is nobody's template
    assert "there is nothing to judge" in found.err


def test_links(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Links inside of a folder are followed; those that lead out of it are not, nor are loops."""
    outside = write(tmp_path / "outside" / "leak.json", LEAK)
    folder = tmp_path / "folder"
    write(folder / "own.json", OWN)
    (folder / "link.json").symlink_to(outside)
    (folder / "up").symlink_to(tmp_path)
    (folder / "loop.json").symlink_to(folder / "loop.json")
    (folder / "nowhere.json").symlink_to(folder / "missing.json")
    assert check(capsys, folder).code == 0
    assert check(capsys, folder / "link.json").code == 1  # what is given is read
    write(folder / "real" / "leak.json", LEAK)
    (folder / "inner.json").symlink_to(folder / "real" / "leak.json")
    assert check(capsys, folder).code == 1


def test_only_what_says_something_of_roles_is_read_of_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "own.json", OWN)
    write(tmp_path / "package.json", "{ this is no JSON")
    write(tmp_path / "chart.yaml", "{{- if .Values.x }}\na: [\n")
    write(tmp_path / "node_modules" / "x" / "leak.json", LEAK)
    write(tmp_path / "leak.txt", json.dumps(LEAK))
    assert check(capsys, tmp_path).code == 0
    broken = write(tmp_path / "template.yaml", "Resources:\n  A:\n    Type: AWS::IAM::Role\n   B: [\n")
    found = check(capsys, tmp_path)
    assert found.code == 2  # a template that cannot be read is not passed over
    assert found.err.startswith(f"{broken}:4:")


def test_one_file_given_twice_is_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leak = write(tmp_path / "leak.json", LEAK)
    for path in (leak, tmp_path, os.path.relpath(leak), f"{tmp_path}/./leak.json"):
        found = check(capsys, leak, path)
        assert (found.code, len(found.findings)) == (1, 2), found.err


def test_nothing_of_a_file_moves_a_cursor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b[2J\u202e\u2028\x07"
    leak: dict[str, Any] = document([{**LEAK["Statement"][0], "Sid": evil, "Resource": f"arn:aws:s3:::notes/{evil}*"}])
    path = write(tmp_path / f"leak{evil}.json", leak)
    for output in ("text", "json"):
        found = run(capsys, "check", "--format", output, path)
        assert found.code == 1
        assert not {"\x1b", "\x07", "\u202e", "\u2028"} & set(found.out)
    found = run(capsys, "check", tmp_path / f"missing{evil}")
    assert found.code == 2
    assert not {"\x1b", "\x07", "\u202e", "\u2028"} & set(found.err)
    broken = write(tmp_path / "x.yaml", f'a: 1\n"{evil[1:5]}": [\n')
    assert run(capsys, "check", broken).code == 2


def test_surrogates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "leak.json"
    path.write_text(json.dumps(document([allow("arn:aws:s3:::notes/*", Sid="x")])).replace('"x"', '"\\ud800"'))
    for output in ("text", "json"):
        found = run(capsys, "check", "--format", output, path)
        assert found.code == 1
        found.out.encode()
    name = os.fsdecode(b"leak\xff.json")
    (tmp_path / name).write_text(json.dumps(LEAK))
    found = run(capsys, "check", tmp_path / name)
    assert found.code == 1
    assert "leak\\udcff.json" in found.out


def test_standard_input(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "identity_scope", "check"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "policies")}
    done = subprocess.run([*command, "-"], input=json.dumps(LEAK), capture_output=True, text=True, env=environment)
    assert done.returncode == 1
    assert done.stdout.startswith("standard input:1:")


def test_an_input_error_says_where() -> None:
    assert str(InputError(Place("a", 1, 2), "x")) == "a:1:2: x"
    assert str(InputError("a", "x")) == "a: x"
