"""The formats for machines, each against its schema, and each with input that would break out of it."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from policies.identity_scope.pack.rules import RULES
from tests.conftest import ROOT
from tests.policies.command.run import run, write, written
from tests.policies.command.test_check import preview, pulumi_role, state
from tests.policies.pack.engine import ME, allow, document, trust
from tests.policies.sources.mistakes import SETUPS, Setup
from tests.policies.sources.test_cloudformation import SECTIONS, template

COMMAND = ROOT / "policies" / "identity_scope" / "command"
LEAK = document([allow(f"arn:aws:s3:::notes/{ME}/*"), allow("arn:aws:s3:::notes/*"), allow("*", "iam:CreateUser")])
EVIL = "a\n::error::x%0A,b:c|d`e```f<img src=x>&amp;]]>\"'@all [l](http://x) www.x.org #1 \x1b[2J\u202e\ud800"
"""A name that each format would read as something else."""


def valid(schema: Path, folder: Path, text: str) -> None:
    """Whether a text is what a JSON schema says."""
    instance = folder / "instance"
    instance.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--schemafile", str(schema), str(instance)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def inputs(folder: Path) -> list[Path]:
    """Files of every kind: findings with and without statements, notes, what is undecided, and what is exempt."""
    free: Any = {"Fn::Sub": "arn:aws:s3:::${Free}/*"}
    files: dict[str, Any] = {
        "template.json": template(
            Setup(document([{"Effect": "Allow", "Action": "s3:GetObject", "Resource": free}])), **SECTIONS
        ),
        "guests.json": template(SETUPS["guests with a shared folder"]),
        "preview.json": preview("04da6b54-80e4-46f7-96ec-b56ff0331ba9"),
        "stack.json": state(*pulumi_role(json.dumps(LEAK))),
        "plain.json": LEAK,
    }
    written(folder, files)
    return [folder / name for name in files]


def exempting(folder: Path) -> Path:
    exemption = {"urn": "urn:pulumi:*", "reason": "is being moved to folders", "expires": "2999-01-01"}
    return write(folder / "config" / "c.json", {"s3-own-folder": {"exemptions": [exemption]}})


def test_json_is_what_its_schema_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run(
        capsys, "check", "--each", "--config", exempting(tmp_path), "--format", "json", *inputs(tmp_path / "in")
    )
    assert found.code == 1, found.err
    verdicts = json.loads(found.out)["verdicts"]
    for part in ("findings", "undecided", "exempt", "notes"):
        assert any(verdict[part] for verdict in verdicts), part
    valid(COMMAND / "check.schema.json", tmp_path, found.out)


def test_the_difference_as_json_is_what_its_schema_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listing = allow("arn:aws:s3:::notes", "s3:ListBucket", Condition={"StringLike": {"s3:prefix": "p/*"}})
    secure = allow("*", "s3:*", Condition={"Bool": {"aws:SecureTransport": "true"}})
    old, new = write(tmp_path / "a.json", LEAK), write(tmp_path / "b.json", document([listing, secure]))
    found = run(capsys, "diff", "--format", "json", old, new)
    valid(COMMAND / "diff.schema.json", tmp_path, found.out)
    (role,) = json.loads(found.out)["roles"]
    assert role["gained"][0]["prefix"] == "p/"
    assert role["gained"][1]["conditions"] == ["Bool aws:SecureTransport true"]
    assert role["lost"]


# --- SARIF

TEXT: dict[str, Any] = {
    "type": "object",
    "required": ["text"],
    "additionalProperties": False,
    "properties": {"text": {"type": "string", "minLength": 1}, "markdown": {"type": "string"}},
}
LEVEL: dict[str, Any] = {"enum": ["none", "note", "warning", "error"]}


def strict(required: str, optional: str = "", **properties: Any) -> dict[str, Any]:
    names = {*required.split(), *optional.split()}
    return {
        "type": "object",
        "required": required.split(),
        "additionalProperties": False,
        "properties": {name: properties.get(name, {}) for name in names},
    }


def listed(items: Mapping[str, Any], least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": least}


ARTIFACT = strict("uri", uri={"type": "string", "format": "uri-reference", "pattern": "^[!-~]+$"})
REGION = strict(
    "startLine startColumn", startLine={"type": "integer", "minimum": 1}, startColumn={"type": "integer", "minimum": 1}
)
LOCATION = strict(
    "physicalLocation logicalLocations",
    physicalLocation=strict("artifactLocation", "region", artifactLocation=ARTIFACT, region=REGION),
    logicalLocations=listed(strict("fullyQualifiedName kind", "name"), 1),
)
SARIF = strict(
    "$schema version runs",
    version={"const": "2.1.0"},
    runs=listed(
        strict(
            "tool columnKind results",
            columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
            tool=strict(
                "driver",
                driver=strict(
                    "name rules",
                    rules=listed(
                        strict(
                            "id name shortDescription fullDescription help helpUri defaultConfiguration properties",
                            shortDescription=TEXT,
                            fullDescription=TEXT,
                            help=TEXT,
                            helpUri={"type": "string", "format": "uri"},
                            defaultConfiguration=strict("level", level=LEVEL),
                            properties={"type": "object"},
                        )
                    ),
                ),
            ),
            results=listed(
                strict(
                    "ruleId ruleIndex level message locations partialFingerprints",
                    "suppressions",
                    ruleIndex={"type": "integer", "minimum": 0},
                    level=LEVEL,
                    message=TEXT,
                    locations=listed(LOCATION, 1),
                    partialFingerprints={"type": "object", "additionalProperties": {"type": "string"}},
                    suppressions=listed(strict("kind justification", kind={"enum": ["inSource", "external"]})),
                )
            ),
        ),
        1,
    ),
)
"""What SARIF 2.1.0 says of the properties that are written, and of no others.

Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""


def sarif(capsys: pytest.CaptureFixture[str], *paths: str | Path) -> list[dict[str, Any]]:
    found = run(capsys, "check", "--format", "sarif", *paths)
    assert found.code != 2, found.err
    results: list[dict[str, Any]] = json.loads(found.out)["runs"][0]["results"]
    return results


def test_sarif(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    schema = write(tmp_path / "sarif.schema.json", SARIF)
    found = run(
        capsys, "check", "--each", "--config", exempting(tmp_path), "--format", "sarif", *inputs(tmp_path / "in")
    )
    valid(schema, tmp_path, found.out)
    (made,) = json.loads(found.out)["runs"]
    rules = made["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [rule.name for rule in RULES]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in made["results"])
    assert any("suppressions" in result for result in made["results"])
    assert {result["level"] for result in made["results"]} == {"error", "warning"}
    broken = {**json.loads(found.out), "runs": [{**made, "results": [{"ruleId": "x"}]}]}
    with pytest.raises(AssertionError):
        valid(schema, tmp_path, json.dumps(broken))


def test_regions_and_files(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a folder" / "leak#1.json", LEAK)
    (result, *_) = sarif(capsys, "a folder/leak#1.json")
    physical = result["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == "a%20folder/leak%231.json"
    line = [
        n
        for n, text in enumerate((tmp_path / "a folder" / "leak#1.json").read_text().splitlines(), 1)
        if text == "    {"
    ][1]
    assert physical["region"] == {"startLine": line, "startColumn": 5}
    (result, *_) = sarif(capsys, tmp_path / "a folder")
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].startswith("file:///")


def test_fingerprints_survive_unrelated_edits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def prints(statements: list[Any], indent: int = 2, trusting: Any = None, name: str = "t.json") -> dict[str, str]:
        built = template(Setup(document(statements), trust=trusting or trust()))
        path = tmp_path / name
        path.write_text(json.dumps(built, indent=indent))
        results = sarif(capsys, path)
        return {
            f"{r['ruleId']} {r['message']['text'][:20]}": r["partialFingerprints"]["identityScope/v1"] for r in results
        }

    own, leak, escalates = LEAK["Statement"]
    before = prints([own, leak, escalates])
    assert len(set(before.values())) == len(before) >= 3
    assert set(prints([own, leak, escalates], indent=7).values()) == set(before.values())
    moved = prints([own, allow(f"arn:aws:s3:::notes/{ME}/more/*"), leak, {**escalates, "Sid": "New"}])
    assert set(before.values()) <= set(moved.values())
    assert set(prints([own, leak, escalates], name="renamed.json").values()) == set(before.values())
    other = prints([own, allow("arn:aws:s3:::notes/public/*"), escalates])
    assert len(set(other.values()) & set(before.values())) == len(before) - 2  # isolation and own folder are others
    twice = prints([own, leak, leak])
    assert len(set(twice.values())) == len(twice)


# --- JUnit, GitHub, Markdown


def test_junit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run(capsys, "check", "--each", "--format", "junit", *inputs(tmp_path))
    suites = ElementTree.fromstring(found.out)
    assert suites.tag == "testsuites"
    cases = list(suites.iter("testcase"))
    failures = list(suites.iter("failure"))
    assert int(suites.attrib["tests"]) == len(cases)
    assert int(suites.attrib["failures"]) == len(failures) == sum(int(s.attrib["failures"]) for s in suites)
    assert int(next(s for s in suites if "preview" in s.attrib["name"]).attrib["skipped"]) == len(
        list(suites.iter("skipped"))
    )
    assert {child.tag for case in cases for child in case} == {"failure", "skipped"}
    assert all({"type", "message"} == set(failure.attrib) and failure.text for failure in failures)
    assert all({"classname", "name"} <= set(case.attrib) <= {"classname", "name", "file", "line"} for case in cases)


def test_github(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run(capsys, "check", "--each", "--format", "github", *inputs(tmp_path))
    pattern = r"::(error|warning|notice) file=[^,:]+(,line=\d+,col=\d+)?,title=[a-z0-9-]+::.+"
    assert all(re.fullmatch(pattern, line) for line in found.out.splitlines())
    assert {line.split()[0] for line in found.out.splitlines()} == {"::error", "::warning", "::notice"}


def test_markdown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run(capsys, "check", "--each", "--format", "markdown", *inputs(tmp_path))
    assert "| rule | level | where |" in found.out
    assert found.out.count("<details>") == found.out.count("</details>") > 3
    assert "s3-isolated-by-identity" in found.out
    assert "### ✅" in found.out
    assert "### ❌" in found.out


def hostile(folder: Path) -> list[Path]:
    """Files in which every name is hostile."""
    name = EVIL.replace("\ud800", "").replace("/", "")
    leak = document([{**allow(f"arn:aws:s3:::notes/{EVIL}*"), "Sid": EVIL}])
    path = folder / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document([allow(f"arn:aws:s3:::notes/{name}*"), {**allow("*", "iam:*"), "Sid": name}])))
    built = state(*pulumi_role(json.dumps(leak)))
    for resource in built["deployment"]["resources"]:
        resource["urn"] = f"urn:pulumi:x::y::{resource['type']}::{EVIL}"
    return [path, write(folder / "stack.json", built)]


@pytest.mark.parametrize("output", ["text", "json", "sarif", "junit", "github", "markdown"])
def test_hostile_names(output: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in hostile(tmp_path / "in"):
        found = run(capsys, "check", "--format", output, path)
        assert found.code == 1, found.err
        assert not {"\x1b", "\u202e"} & set(found.out)
        if output == "sarif":
            valid(write(tmp_path / "s.json", SARIF), tmp_path, found.out)
        elif output == "json":
            valid(COMMAND / "check.schema.json", tmp_path, found.out)
        elif output == "junit":
            assert len(ElementTree.fromstring(found.out)) == 1
        elif output == "github":
            assert all(line.startswith(("::error file=", "::warning file=")) for line in found.out.splitlines())
            assert all(
                line.count("::") - line.partition("title=")[2].count("::") == 1 for line in found.out.splitlines()
            )
        elif output == "markdown":
            outside = re.sub(r"(`{3,})text\n.*?\n\1\n", "", found.out, flags=re.DOTALL)
            assert not re.search(r"[`@]|<img|\]\(|www\.|http:|(?<![&#])#\d|\|d", outside), outside
            assert "www.x.org" in html.unescape(found.out)


def test_hostile_names_in_a_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = hostile(tmp_path)[0]
    old = write(tmp_path / "old.json", document([allow(f"arn:aws:s3:::notes/{ME}/*")]))
    found = run(capsys, "diff", "--format", "markdown", old, new)
    assert not re.search(r"[`@]|<img|\]\(|www\.|http:|(?<![&#])#\d|\|d", found.out), found.out
    valid(COMMAND / "diff.schema.json", tmp_path, run(capsys, "diff", "--format", "json", old, new).out)
