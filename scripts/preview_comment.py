"""What a pull request shows of a preview: a comment for each stack, updated in place, and annotations of the stack's file.

The text of a preview is untrusted, because the code of the pull request writes it. Every line of it stands in an indented
code block, which no text can end: whatever a line says, it begins with four spaces. In a table, a text stands in a `code`
element, and each of its characters that is no letter or digit is written as its number. In code, GitHub renders no Markdown
and no HTML, and notifies nobody who is mentioned. Only the standard library is needed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import stat
import sys
import textwrap
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

LIMIT = 60_000
"""Bytes of a comment. GitHub takes 65,536 characters."""
LINE_LENGTH = 1_000
TABLE_LIMIT = 15_000
CELL_LENGTH = 300
READ_LIMIT = 20_000_000
MOST_ANNOTATIONS = 10
"""GitHub shows ten errors and ten warnings of a step."""
ANNOTATION_LENGTH = 4_000
AUTHOR = "github-actions[bot]"

_ESCAPE_SEQUENCE = re.compile(
    "\x1b(?:"
    r"\[[0-?]*[ -/]*[@-~]"  # CSI: colors and cursor
    "|[]PX^_][^\x07\x1b]*(?:\x07|\x1b\\\\|$)"  # OSC, DCS, SOS, PM, APC: titles, links
    "|[ -/]*[0-~])"
)
_LINE_BREAK = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_FINDING = re.compile(r"\s+\S+@\S+ +\[(mandatory|advisory|remediate)\]")
_RESOURCE_OF_FINDING = re.compile(r"\([\w-]+:[\w/.:-]+: [^()]*\)(?=\S)")
"""The end of a finding's first line, after which `--diff` does not break the line."""
_AFTER_FINDING = re.compile(
    r"\s*[-+~<>=]*\s*[\w-]+:[\w/.-]+:\w+: \(.*\)$"  # the next resource
    r"|\s+--outputs:--|(?:Resources|Outputs|Duration|Diagnostics|Policy Packs run|error|warning):"
)
_INTERRUPTED = "KeyboardInterrupt"
_TRACEBACK = "Traceback (most recent call last):"
_IN_TRACEBACK = re.compile(
    rf"\s|$|>$|{re.escape(_TRACEBACK)}$|During handling of the above exception|[\w.]+(Error|Exception|Rpc\w*)\b"
)


def clean(text: str) -> list[str]:
    """The lines of a text, without escape sequences, and with every invisible character as its code point."""
    lines = []
    for line in _LINE_BREAK.split(_ESCAPE_SEQUENCE.sub("", text)):
        shown = "".join(map(_visible, line.rstrip()))
        lines += [shown[at : at + LINE_LENGTH] for at in range(0, len(shown), LINE_LENGTH)] or [""]
    return lines


def _visible(character: str) -> str:
    if character == "\t":
        return "    "
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    return f"<U+{ord(character):04X}>" if hidden else character


def code_block(lines: Sequence[str], limit: int) -> str:
    """An indented code block of at most so many bytes: what is too much is left out of the middle."""
    sizes = [len(f"    {line}\n".encode()) for line in lines]
    if sum(sizes) > limit:
        first = _fitting(sizes, limit // 3)
        last = _fitting(sizes[::-1], limit - limit // 3)
        left_out = f"… {len(lines) - first - last} lines are left out here; the run shows them …"
        lines = [*lines[:first], left_out, *(lines[-last:] if last else [])]
    return "\n".join(f"    {line}" for line in lines)


def _fitting(sizes: Sequence[int], limit: int) -> int:
    """How many of the first lines fit."""
    for count, size in enumerate(sizes):
        limit -= size
        if limit < 0:
            return count
    return len(sizes)


def findings(lines: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """The findings of policy packs in the output of `pulumi preview --diff`: (level, lines)."""
    level, found = "", list[str]()
    for line in lines:
        begins = _FINDING.match(line)
        if found and (begins or _AFTER_FINDING.match(line)):
            yield level, found
            found = []
        if begins:
            head, _, text = _RESOURCE_OF_FINDING.sub(r"\g<0>\n", line.strip(), count=1).partition("\n")
            level, found = begins[1], [*([""] if level else []), head, *([text] if text else [])]
        elif found:
            found.append(line)
    if found:
        yield level, found


def without_interrupt(lines: Sequence[str]) -> list[str]:
    """The lines without the traceback of a Python program that the engine interrupted because the pack stops it."""
    if _INTERRUPTED not in lines:
        return list(lines)
    end = len(lines) - 1 - list(reversed(lines)).index(_INTERRUPTED)
    begin = end
    for at in range(end - 1, -1, -1):
        if not _IN_TRACEBACK.match(lines[at]):
            break
        if lines[at] == _TRACEBACK:
            begin = at
    left_out = "(the engine interrupted the program; the traceback is in the run)"
    return [*lines[:begin], left_out, *lines[end + 1 :]]


def verdict(outcome: str, lines: Sequence[str], levels: Sequence[str]) -> str:
    """The first line that a reviewer reads. Only the outcome comes from GitHub; the rest is what the output says."""
    mandatory = levels.count("mandatory")
    counts = f"{mandatory} mandatory, {len(levels) - mandatory} other"
    if outcome == "failure" and mandatory:
        return f"❌ The policy pack stops this change. Findings: {counts}."
    if outcome == "failure":
        return "❌ The preview failed. Its output says why."
    if outcome != "success":
        return "⚪ The preview did not finish."
    if not any(line.startswith("Policy Packs run:") for line in lines):
        return "❌ The output does not show that the policy pack ran."
    return f"✅ The preview succeeded. Findings: {counts}." if levels else "✅ The policy pack reports nothing."


def _wrapped(line: str) -> list[str]:
    """A line in lines that a comment shows without scrolling."""
    indent = re.match(" *", line)[0]  # type: ignore[index]
    return textwrap.wrap(line, 110, subsequent_indent=indent, break_on_hyphens=False) or [""]


def cell(text: str) -> str:
    """A text in a table."""
    line = " ".join(clean(text.replace("`", "")))
    line = line if len(line) <= CELL_LENGTH else f"{line[: CELL_LENGTH - 1]}…"
    return "<code>" + re.sub("[^A-Za-z0-9 ]", lambda match: f"&#{ord(match[0])};", line) + "</code>"


def access_changes(text: str | None) -> str:
    """What `identity-scope diff --format json` says, as a table. It is untrusted, too: the same machine wrote it."""
    try:
        changes = json.loads(text or "")
        roles = [
            (
                str(role["name"]),
                [str(each["text"]) for each in role["gained"]],
                [str(each["text"]) for each in role["lost"]],
            )
            for role in changes["roles"]
        ]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "How the access of users changes is not known: the run shows why."
    changed = [role for role in roles if role[1] or role[2]]
    if not changed:
        return (
            "The access of users does not change: that is proven for each role."
            if roles
            else "There is no role to compare."
        )
    rows = ["| role | may now, for example | may no longer, for example |", "|---|---|---|"]
    for shown, (name, gained, lost) in enumerate(changed):
        row = f"| {cell(name)} | {_cells(gained)} | {_cells(lost)} |"
        if len("\n".join([*rows, row]).encode()) > TABLE_LIMIT:
            rows.append(f"| … and {len(changed) - shown} more roles | | |")
            break
        rows.append(row)
    return "Compared with what is deployed:\n\n" + "\n".join(rows)


def _cells(texts: Sequence[str], most: int = 3) -> str:
    more = f"<br>… and {len(texts) - most} more" if len(texts) > most else ""
    return "<br>".join(map(cell, texts[:most])) + more


def marker(stack: str) -> str:
    """The first line of the comment of a stack, which GitHub does not show."""
    return f"<!-- preview of stack {stack} -->"


def body(stack: str, outcome: str, commit: str, run: str, preview: str | None, access: str | None) -> str:
    """The comment, in Markdown.

    Args:
        stack, outcome, commit, run: of the workflow's run, from GitHub.
        preview: what the preview printed; None if there is nothing.
        access: what `identity-scope diff --format json` printed; None if there is nothing.
    """
    lines = clean(preview or "")
    found = list(findings(lines))
    parts = [
        f"{marker(stack)}\n### Preview of `{stack}`",
        verdict(outcome, lines, [level for level, _ in found]),
        f"Commit {commit[:10]} · [run]({run})",
        access_changes(access),
    ]
    if found:
        wrapped = [line for _, finding in found for text in finding for line in _wrapped(text)]
        parts.append(code_block(wrapped, LIMIT // 2))
    if preview is None:
        parts.append("The preview printed nothing: the run shows what happened before it.")
    else:
        rest = LIMIT - len("\n\n".join(parts).encode()) - 500
        parts.append("<details><summary>Output of the preview</summary>")
        parts.append(code_block(without_interrupt(lines), rest))
        parts.append("</details>")
    return "\n\n".join(parts) + "\n"


def workflow_commands(stack: str, lines: Sequence[str]) -> Iterator[str]:
    """Workflow commands that annotate the stack's file with the findings.

    A text is on the line of its command, and each of its characters that could end it is written as its number.

    Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
    """
    shown = dict.fromkeys(("error", "warning"), 0)
    for level, found in findings(lines):
        command = "error" if level == "mandatory" else "warning"
        shown[command] += 1
        if shown[command] <= MOST_ANNOTATIONS:
            message = "%0A".join(line.replace("%", "%25") for line in found if line)
            title = f"Policy pack, preview of {stack}"
            yield f"::{command} file=Pulumi.{stack}.yaml,line=1,title={title.replace(',', '%2C')}::{_cut(message)}"


def _cut(message: str) -> str:
    if len(message) <= ANNOTATION_LENGTH:
        return message
    return re.sub("%[0-9A-F]?$", "", message[:ANNOTATION_LENGTH]) + "…"


def code_quality(stack: str, lines: Sequence[str]) -> list[dict[str, Any]]:
    """The findings as GitLab's report of code quality, which a merge request shows.

    Source: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
    """
    report = []
    for level, found in findings(lines):
        text = "\n".join(line for line in found if line)[:ANNOTATION_LENGTH]
        report.append(
            {
                "description": text,
                "check_name": "identity-scope",
                "fingerprint": hashlib.sha256(f"{stack}\n{text}".encode()).hexdigest(),
                "severity": "critical" if level == "mandatory" else "minor",
                "location": {"path": f"Pulumi.{stack}.yaml", "lines": {"begin": 1}},
            }
        )
    return report


def earlier_comment(comments: Any, stack: str) -> int | None:
    """The ID of this workflow's comment for a stack. Anybody can write the marker, but not as this author.

    Args:
        comments: the answer of `gh api --paginate --slurp`: a list of pages.
    """
    for comment in (comment for page in comments for comment in page):
        user = comment.get("user") or {}
        first_line = str(comment.get("body") or "").partition("\n")[0].rstrip("\r")
        if user.get("login") == AUTHOR and user.get("type") == "Bot" and first_line == marker(stack):
            return int(comment["id"])
    return None


def read(path: Path) -> str | None:
    """A file that the code of the pull request wrote, if it is a file: a link could lead to this job's secrets."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    with open(descriptor, "rb") as file:
        return file.read(READ_LIMIT).decode("utf-8", "replace")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the comment, the ID of the earlier one, or the findings."""
    parser = argparse.ArgumentParser(prog="preview_comment.py", description="What a pull request shows of a preview.")
    commands = parser.add_subparsers(dest="command", required=True)
    write = commands.add_parser("body", help="print the comment in Markdown")
    find = commands.add_parser("find", help="print the ID of the earlier comment, if there is one")
    annotate = commands.add_parser("annotations", help="print the findings as workflow commands of GitHub")
    report = commands.add_parser("code-quality", help="print the findings as GitLab's report of code quality")
    for command in (write, find, annotate, report):
        command.add_argument("--stack", required=True, help="name of the stack")
    for name, text in (
        ("outcome", "the conclusion of the job"),
        ("commit", "the commit"),
        ("run", "the address of the run"),
    ):
        write.add_argument(f"--{name}", required=True, help=text)
    for command in (write, annotate, report):
        command.add_argument(
            "--preview", required=True, type=Path, help="what the preview printed; the file may be missing"
        )
    write.add_argument(
        "--access", required=True, type=Path, help="what identity-scope diff printed; the file may be missing"
    )
    find.add_argument("--comments", required=True, type=Path, help="the comments of the pull request, as pages in JSON")
    options = parser.parse_args(arguments)
    if options.command == "body":
        texts = (read(options.preview), read(options.access))
        comment = body(options.stack, options.outcome, options.commit, options.run, *texts)
        sys.stdout.buffer.write(comment.encode())
    elif options.command == "annotations":
        for line in workflow_commands(options.stack, clean(read(options.preview) or "")):
            sys.stdout.buffer.write(f"{line}\n".encode())
    elif options.command == "code-quality":
        print(json.dumps(code_quality(options.stack, clean(read(options.preview) or "")), indent=1))
    else:
        earlier = earlier_comment(json.loads(options.comments.read_text(encoding="utf-8")), options.stack)
        print("" if earlier is None else earlier)
    return 0


if __name__ == "__main__":
    sys.exit(main())
