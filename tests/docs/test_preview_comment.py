"""Whatever a preview prints, its comment is one comment of this workflow, of a bounded size, and shows the text as text."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scripts.preview_comment import (
    AUTHOR,
    LIMIT,
    access_changes,
    body,
    cell,
    clean,
    code_quality,
    earlier_comment,
    findings,
    main,
    marker,
    read,
    without_interrupt,
    workflow_commands,
)
from tests.conftest import ROOT

OUTPUT = """\
Previewing update (dev):
  pulumi:pulumi:Stack: (same)
    [urn=urn:pulumi:dev::scoped-identity::pulumi:pulumi:Stack::scoped-identity-dev]
    identity-scope@v0.1.0 [mandatory] [severity: critical]  s3-isolated-by-identity  (aws:iam:RolePolicy: users)No identity.
`users` statement 4 lets every signed-in identity read another identity's files.
  proof:
    us-east-1:1111: s3:GetObject arn:aws:s3:::notes/us-east-1:2222 — allowed by users, statement 4
    identity-scope@v0.1.0 [advisory] [severity: medium]  s3-own-folder  (aws:iam:RolePolicy: users)Everything.
`users` statement 4 reaches beyond the identity's own folder.
    ~ aws:iam/rolePolicy:RolePolicy: (update)
        [id=users]
error: preview failed
Policy Packs run:
    Name            Version
    identity-scope  0.1.0
"""
OWN_LINES = {
    marker("dev"),
    "### Preview of `dev`",
    "Commit 0123456789 · [run](https://github.com/acme/x/actions/runs/1)",
    "<details><summary>Output of the preview</summary>",
    "</details>",
    "How the access of users changes is not known: the run shows why.",
    "The preview printed nothing: the run shows what happened before it.",
}


def written(text: str | None, outcome: str = "failure", access: str | None = None) -> str:
    return body("dev", outcome, "0123456789abcdef" * 2, "https://github.com/acme/x/actions/runs/1", text, access)


def difference(*roles: tuple[str, list[str], list[str]]) -> str:
    """What `identity-scope diff --format json` prints, as far as the comment reads it."""
    listed = [
        {"name": name, "gained": [{"text": text} for text in gained], "lost": [{"text": text} for text in lost]}
        for name, gained, lost in roles
    ]
    return json.dumps({"version": 1, "newAccess": True, "roles": listed})


def untrusted_lines_are_code(comment: str) -> bool:
    """Every line is one of the comment's own, or part of an indented code block, which begins after an empty line."""
    lines = comment.split("\n")
    for before, line in zip(["", *lines], lines, strict=False):
        own = line in OWN_LINES or line[:1] in ("✅", "❌", "⚪") or not line
        if not own and not (line.startswith("    ") and (before == "" or before.startswith("    "))):
            return False
    return True


def test_the_verdict_and_the_findings_stand_before_the_folded_output() -> None:
    comment = written(OUTPUT)
    assert comment.startswith(f"{marker('dev')}\n### Preview of `dev`\n\n❌ The policy pack stops this change.")
    assert "Findings: 1 mandatory, 1 other." in comment
    assert comment.index("statement 4 lets every") < comment.index("<details>") < comment.index("error: preview failed")
    assert untrusted_lines_are_code(comment)


def test_a_finding_ends_where_the_next_resource_begins() -> None:
    (first, second) = findings(clean(OUTPUT))
    assert (first[0], second[0]) == ("mandatory", "advisory")
    assert first[1][-1].endswith("allowed by users, statement 4")
    assert second[1][-1] == "`users` statement 4 reaches beyond the identity's own folder."


@pytest.mark.parametrize(
    ("outcome", "text", "verdict"),
    [
        ("success", "Policy Packs run:\n", "✅ The policy pack reports nothing."),
        (
            "success",
            OUTPUT.replace("mandatory", "advisory"),
            "✅ The preview succeeded. Findings: 0 mandatory, 2 other.",
        ),
        ("success", "Resources:\n    7 unchanged\n", "❌ The output does not show that the policy pack ran."),
        ("failure", "error: no stack named 'dev' found", "❌ The preview failed. Its output says why."),
        ("cancelled", OUTPUT, "⚪ The preview did not finish."),
        ("", None, "⚪ The preview did not finish."),
        ("success`\n@everyone", OUTPUT, "⚪ The preview did not finish."),
        ("failure", None, "❌ The preview failed. Its output says why."),
    ],
)
def test_the_verdict(outcome: str, text: str | None, verdict: str) -> None:
    comment = written(text, outcome)
    assert f"\n\n{verdict}\n\n" in comment
    assert untrusted_lines_are_code(comment)


ATTACKS = {
    "a fence": "```\n</details>\n# Approved\n```",
    "a longer fence": "`" * 70_000,
    "a fence of tildes": "~~~\n~~~",
    "HTML": "</details></pre></code><img src=x onerror=alert(1)><!-- -->",
    "an open comment": "<!--\n",
    "a mention": "@acme/owners please approve\n@octocat",
    "a link": "[approve](https://evil.example) ![x](https://evil.example/x.png)",
    "a closing keyword": "Fixes #1, closes acme/x#2",
    "another stack's marker": f"{marker('prod')}\n### Preview of `prod`\n\n✅",
    "its own marker": marker("dev"),
    "a carriage return": "good\rbad\r\n\r\nworse",
    "other line breaks": "a\x0b# b\x0c# c\x85# d\u2028# e\u2029# f\x1c# g",
    "colors and titles": "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\",
    "an open escape sequence": "\x1b]0;" + "x" * 100 + "\n# after",
    "bidirectional overrides": "user\u202e\u2066 // admin\u2069",
    "invisible characters": "a\u200b\u00ad\ufeff\U000e0041b",
    "a null": "a\0b",
    "70,000 characters": "x" * 70_000,
    "70,000 lines": "\n" * 70_000 + "# end",
    "70,000 emoji": "🔓" * 70_000,
    "a huge finding": "    p@v1 [mandatory] " + "y" * 70_000 + "\n" + "# z\n" * 70_000,
    "tabs": "\t# a\n \t# b",
    "blank lines between": "a\n\n\n\n# b\n\n- c",
    "nothing": "",
    "workflow commands": "::error file=x::y\n::add-mask::z",
}


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_no_output_leaves_its_code_block(text: str) -> None:
    for comment in (written(text), written(OUTPUT + text), written(f"    p@v1 [mandatory] {text}")):
        assert untrusted_lines_are_code(comment)
        assert len(comment.encode()) <= LIMIT
        assert not [
            c for c in comment if (ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u200b\u2028"
        ]
        assert comment.count("\n</details>") == 1


@given(
    st.text(st.characters() | st.sampled_from("`~<>@#-_*=\t\r\n\x1b\u2028 "), max_size=400),
    st.sampled_from(["success", "failure"]),
)
def test_no_random_output_leaves_its_code_block(text: str, outcome: str) -> None:
    comment = written(text, outcome)
    assert untrusted_lines_are_code(comment)
    assert earlier_comment([[{"id": 1, "user": {"login": AUTHOR, "type": "Bot"}, "body": comment}]], "dev") == 1


def test_of_a_long_output_the_beginning_and_the_end_are_shown() -> None:
    comment = written("first\n" + "middle\n" * 50_000 + "last")
    assert "    first\n" in comment
    assert "lines are left out here" in comment
    assert comment.endswith("    last\n\n</details>\n")


def test_an_invisible_character_is_shown_as_its_code_point() -> None:
    assert clean("a\u202eb\x07\x1b[1mc\x1b[0m") == ["a<U+202E>b<U+0007>c"]


def test_the_access_that_changes_is_a_table() -> None:
    text = difference(("auth", ["identity `us-east-1:1` may `s3:GetObject`"], []), ("kept", [], []), ("old", [], ["x"]))
    comment = written(OUTPUT, access=text)
    row = "| <code>auth</code> | <code>identity us&#45;east&#45;1&#58;1 may s3&#58;GetObject</code> |  |"
    assert f"|---|---|---|\n{row}\n| <code>old</code> |  | <code>x</code> |\n" in comment
    assert comment.index(row) < comment.index("statement 4 lets")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (difference(("auth", [], [])), "The access of users does not change: that is proven for each role."),
        (difference(), "There is no role to compare."),
        *((text, "How the access of users changes is not known: the run shows why.") for text in (
            None, "", "{", "[]", "null", '{"roles": 1}', '{"roles": [1]}', '{"roles": [{"name": "x"}]}',
            '{"roles": [{"name": "x", "gained": [1], "lost": []}]}', "[" * 100_000, "1" * 5000,
        )),
    ],
)  # fmt: skip
def test_what_is_said_without_a_table(text: str | None, expected: str) -> None:
    assert access_changes(text) == expected


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_no_text_leaves_its_cell(text: str) -> None:
    shown = cell(text)
    assert set(shown.removeprefix("<code>").removesuffix("</code>")) <= {*map(chr, range(128))} - {
        *"|`@<>*_[]\n\r\\\"'"
    }
    comment = written(OUTPUT, access=difference(*[(text, [text] * 9, [text] * 9)] * 99))
    assert len(comment.encode()) <= LIMIT
    table = comment.partition("|---|---|---|\n")[2].partition("\n\n")[0].split("\n")
    assert all(row.count("|") == 4 and row.startswith("| ") and row.endswith(" |") for row in table)
    if len(table) < 99:
        assert re.fullmatch(r"\| … and \d+ more roles \| \| \|", table[-1])


INTERRUPTED = """\
error: preview failed
Policy Packs run:
    identity-scope  0.1.0
Traceback (most recent call last):

  File "/venv/lib/grpc/_channel.py", line 999, in _end_unary_response_blocking

    raise _InactiveRpcError(state)  # pytype: disable=not-instantiable

grpc._channel._InactiveRpcError: <_InactiveRpcError of RPC that terminated with:
\tstatus = StatusCode.UNAVAILABLE
>

During handling of the above exception, another exception occurred:

Traceback (most recent call last):

  File "/usr/local/bin/pulumi-language-python-exec", line 244, in <module>

    executor.shutdown(wait=True)

    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^

KeyboardInterrupt

after
"""
"""What the CLI prints for a Python program that the pack stops."""


def test_the_traceback_of_an_interrupted_program_is_left_out() -> None:
    left_out = "(the engine interrupted the program; the traceback is in the run)"
    before = INTERRUPTED.partition("Traceback")[0].splitlines()
    assert without_interrupt(clean(INTERRUPTED)) == [*before, left_out, "", "after", ""]
    assert "Traceback" not in written(INTERRUPTED)
    assert untrusted_lines_are_code(written(INTERRUPTED))


@pytest.mark.parametrize("error", ["ValueError: no", "pulumi.errors.RunError: no"])
def test_the_traceback_of_an_error_is_shown(error: str) -> None:
    assert "Traceback" in written(INTERRUPTED.replace("KeyboardInterrupt", error))


def test_nothing_is_left_out_but_the_traceback() -> None:
    """A program that prints both ends of one cannot hide what is reported between them."""
    comment = written(f"Traceback (most recent call last):\n{OUTPUT}KeyboardInterrupt\n")
    assert "`users` statement 4 lets every signed-in identity" in comment.partition("<details>")[0]
    assert "Policy Packs run:" in comment.partition("<details>")[2]


def test_findings_are_annotations_of_the_stacks_file() -> None:
    first, second = workflow_commands("dev", clean(OUTPUT.replace("No identity", "100% No identity")))
    place = "file=Pulumi.dev.yaml,line=1,title=Policy pack%2C preview of dev"
    assert first.startswith(f"::error {place}::identity-scope@v0.1.0 [mandatory]")
    assert "100%25 No identity" in first
    assert "%0A`users` statement 4 lets every" in first
    assert second.startswith(f"::warning {place}::")


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_no_output_makes_another_command_or_report(text: str) -> None:
    output = clean("".join(f"    p@v1 [mandatory] {text}\n{text}\n" for _ in range(30)))
    commands = "\n".join(workflow_commands("dev", output)).splitlines()
    assert 1 <= len(commands) <= 10
    assert all(re.match(r"::error file=Pulumi\.dev\.yaml,line=1,title=[^:,]*::", line) for line in commands)
    assert all(len(line) < 5_000 and not re.search("%(?!25|0A|2C)", line) for line in commands)
    for finding in json.loads(json.dumps(code_quality("dev", output))):
        assert finding["location"]["path"] == "Pulumi.dev.yaml"


def test_findings_are_a_report_of_code_quality() -> None:
    first, second = code_quality("dev", clean(OUTPUT))
    assert (first["severity"], second["severity"]) == ("critical", "minor")
    assert "statement 4 lets every" in first["description"]
    assert first["fingerprint"] != second["fingerprint"]
    assert code_quality("dev", clean(OUTPUT))[0] == first


def test_the_pipeline_of_gitlab_writes_the_report(tmp_path: Path) -> None:
    """Also of a preview that printed nothing, or did not run."""
    job = yaml.safe_load((ROOT / "examples" / "gitlab-ci.yml").read_text(encoding="utf-8"))[".preview"]
    (script,) = (line.replace("/tmp/main", str(ROOT)) for line in job["after_script"])
    environment = {**os.environ, "STACK": "dev"}
    for text, count in ((None, 0), ("", 0), (OUTPUT, 2)):
        if text is not None:
            (tmp_path / "preview.txt").write_text(text)
        subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, env=environment, check=True)
        assert len(json.loads((tmp_path / job["artifacts"]["reports"]["codequality"]).read_text())) == count


def comment_of(login: str, text: str, number: int = 7, type_: str = "Bot") -> dict[str, Any]:
    return {"id": number, "user": {"login": login, "type": type_}, "body": text}


@pytest.mark.parametrize(
    ("comments", "expected"),
    [
        ([], None),
        ([[]], None),
        ([[comment_of(AUTHOR, f"{marker('dev')}\nx")]], 7),
        ([[comment_of(AUTHOR, f"{marker('dev')}\r\nx")]], 7),
        ([[comment_of("mallory", f"{marker('dev')}\nx", 1)], [comment_of(AUTHOR, f"{marker('dev')}\nx", 8)]], 8),
        ([[comment_of("mallory", f"{marker('dev')}\nx", type_="User")]], None),
        ([[comment_of(AUTHOR, f"{marker('dev')}\nx", type_="User")]], None),
        ([[comment_of(AUTHOR, f"{marker('prod')}\nx")]], None),
        ([[comment_of(AUTHOR, f"{marker('prod')}\n\n    {marker('dev')}")]], None),
        ([[comment_of(AUTHOR, f" {marker('dev')}")]], None),
        ([[{"id": 1, "user": None, "body": None}]], None),
    ],
)
def test_only_this_workflows_comment_of_this_stack_is_updated(comments: Any, expected: int | None) -> None:
    assert earlier_comment(comments, "dev") == expected


def test_a_link_to_another_file_of_the_job_is_not_read(tmp_path: Path) -> None:
    """An artifact can hold a link, and what it leads to would be in a public comment."""
    (tmp_path / "secret").write_text("token")
    (tmp_path / "preview.txt").symlink_to(tmp_path / "secret")
    assert read(tmp_path / "preview.txt") is None
    assert read(tmp_path / "missing.txt") is None
    assert read(tmp_path) is None
    os.mkfifo(tmp_path / "pipe")
    assert read(tmp_path / "pipe") is None
    (tmp_path / "latin").write_bytes(b"\xff\xfe caf\xe9")
    assert "caf\ufffd" in str(read(tmp_path / "latin"))


def test_the_command_runs_with_the_standard_library_alone(tmp_path: Path) -> None:
    (tmp_path / "preview.txt").write_text(OUTPUT)
    (tmp_path / "comments.json").write_text(json.dumps([[comment_of(AUTHOR, f"{marker('dev')}\nx")]]))
    script = str(ROOT / "scripts" / "preview_comment.py")
    options = ["--outcome", "failure", "--commit", "0" * 40, "--run", "https://x"]
    command = [
        sys.executable,
        "-I",
        script,
        "body",
        "--stack",
        "dev",
        *options,
        "--preview",
        str(tmp_path / "preview.txt"),
        "--access",
        "none",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONIOENCODING": "ascii"})
    assert "❌ The policy pack stops this change." in done.stdout
    command = [sys.executable, "-I", script, "find", "--stack", "dev", "--comments", str(tmp_path / "comments.json")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "7\n"


def test_find_prints_an_empty_line_if_there_is_no_comment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "comments.json").write_text("[[]]")
    assert main(["find", "--stack", "dev", "--comments", str(tmp_path / "comments.json")]) == 0
    assert capsys.readouterr().out == "\n"


def test_a_findings_description_has_a_line_of_its_own() -> None:
    (_, first), (_, second) = findings(clean(OUTPUT))
    assert "No identity." in first
    assert "Everything." in second
