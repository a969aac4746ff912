"""The command line as a newcomer uses it: exit codes, JSON, one clear line for bad input, a clean stop."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.cli.commands import main
from sandbox.cli.host import PORT
from tests.conftest import ROOT


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sandbox", *arguments], cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )


def test_up_as_json_says_that_all_is_well() -> None:
    done = run("up", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told["ok"] is True
    assert {a["got"] for a in told["attempts"]} == {"allowed", "denied", "refused"}
    assert re.fullmatch(r"us-east-1:[0-9a-f-]{36}", told["outputs"]["identityPoolId"])
    page = Path(told["page"]).read_text(encoding="utf-8")
    assert told["outputs"]["identityPoolId"] in page
    assert "notes-dev-uploads/⟨identity ID⟩/*" in page
    assert "✓ passed" in page


def copy_of_the_project(to: Path) -> Path:
    shutil.copytree(
        ROOT, to, ignore=shutil.ignore_patterns(".venv", ".git", "__pycache__", ".*_cache", "tests", ".sandbox")
    )
    return to


def widened_copy(to: Path) -> Path:
    """A copy of the project whose own-folder statement grants the whole bucket."""
    copy = copy_of_the_project(to)
    path = copy / "components" / "scoped_identity" / "documents.py"
    text = path.read_text()
    granted = 's3(f"{bucket}/{folder}*")))'
    assert text.count(granted) == 1
    path.write_text(text.replace(granted, 's3(f"{bucket}/*")))'))
    return copy


def test_a_bucket_wide_grant_is_stopped_by_the_pack_before_it_exists(tmp_path: Path) -> None:
    done = run("up", cwd=widened_copy(tmp_path / "copy"))
    assert done.returncode == 1
    assert "policy violation s3-isolated-by-identity (mandatory)" in done.stderr
    assert "`users-authenticated` (aws:iam/rolePolicy:RolePolicy) was not created" in done.stderr
    assert "+ aws:iam/role:Role" in done.stdout
    assert "+ aws:iam/rolePolicy:RolePolicy" not in done.stdout


def test_a_bucket_wide_grant_without_the_pack_turns_the_table_red(tmp_path: Path) -> None:
    done = run("up", "--no-pack", cwd=widened_copy(tmp_path / "copy"))
    assert done.returncode == 1
    assert "4 of 19 attempts did not end as expected" in done.stderr
    page = tmp_path / "copy" / ".sandbox" / "dev.html"
    assert page.as_uri() in done.stdout
    assert "✗ violated" in page.read_text(encoding="utf-8")


def test_a_page_that_cannot_be_written_fails_nothing(tmp_path: Path) -> None:
    copy = copy_of_the_project(tmp_path / "copy")
    (copy / ".sandbox").write_text("a file, where the folder should be")
    done = run("up", cwd=copy)
    assert done.returncode == 0
    assert "There is no page that shows who reaches what" in done.stdout


def test_the_guides_policy_is_stopped_as_a_way_round_and_passes_isolation() -> None:
    done = run("up", "--profile", "guide")
    assert done.returncode == 1
    assert "policy violation vended-role-cannot-escalate (mandatory)" in done.stderr
    assert "cognito-identity:SetIdentityPoolRoles" in done.stderr
    assert "s3-isolated-by-identity" not in done.stderr + done.stdout


def test_an_unknown_stack_names_those_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["up", "--stack", "nope"]) == 2
    assert capsys.readouterr().err == "error: the stack `nope` does not exist; existing stacks: dev, prod, staging\n"


@pytest.mark.parametrize("arguments", [["up", "--profile", "wild"], ["serve", "--port", "x"], [], ["fly"]])
def test_bad_arguments_are_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_taken_port_is_one_clear_line_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 2
    assert capsys.readouterr().err == (
        f"error: cannot listen on 127.0.0.1:{port}: Address already in use; choose another port with --port or PORT=\n"
    )


def test_serve_listens_on_the_port_that_the_docs_and_the_example_stack_name() -> None:
    for name in ("docs/sandbox.md", "Pulumi.sandbox.yaml.example"):
        assert f"http://127.0.0.1:{PORT}" in (ROOT / name).read_text(encoding="utf-8")
    assert f"(default: {PORT})" in " ".join(run("serve", "--help").stdout.split())


def served(stop: signal.Signals, *options: str, cwd: Path = ROOT) -> tuple[int, str]:
    """Serve until it says how to stop it, and stop it so: the exit code, and all that was said."""
    command = [sys.executable, "-u", "-m", "sandbox", "serve", "--port", "0", *options]
    # Whoever runs the tests in the background may have them ignore Ctrl-C.
    ready = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, text=True, preexec_fn=ready) as process:
        assert process.stdout is not None
        told = ""
        try:
            for line in process.stdout:
                told += line
                if line.startswith("Ctrl-C"):
                    break
            process.send_signal(stop)
            rest, _ = process.communicate(timeout=20)
        finally:
            process.kill()
    return process.returncode, told + rest


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_serve_stays_up_prints_an_example_and_stops_when_it_is_told_to(stop: signal.Signals) -> None:
    code, told = served(stop)
    assert code == 0
    assert told.endswith("stopped; the sandbox keeps no data\n")
    assert re.search(r"endpoint: \"http://127\.0\.0\.1:\d+\"", told)
    assert "fromCognitoIdentityPool" in told


GOOGLE = {"userPools": [], "providers": {"google": {"clientId": "1.apps.googleusercontent.com"}}}
VISITORS = {"userPools": [], "guests": {"reason": "Only visitors here, nobody signs in."}}


@pytest.mark.parametrize(
    ("settings", "expected", "rows"),
    [(GOOGLE, 'logins: { "accounts.google.com": token }', 17), (VISITORS, "identity pool", 3)],
)
def test_a_stack_without_user_pools_is_tried_and_served(
    tmp_path: Path, settings: dict[str, Any], expected: str, rows: int
) -> None:
    copy = copy_of_the_project(tmp_path / "copy")
    path = copy / "Pulumi.dev.yaml"
    config = yaml.safe_load(path.read_text())
    config["config"] |= {f"scoped-identity:{key}": value for key, value in settings.items()}
    path.write_text(yaml.safe_dump(config))
    assert f"{rows} of {rows} attempts ended as expected" in run("up", "--no-pack", cwd=copy).stdout
    code, said = served(signal.SIGINT, "--no-pack", cwd=copy)
    assert expected in said
    assert code == 0


def test_aws_settings_of_the_host_are_not_read(tmp_path: Path) -> None:
    """A profile that does not exist would stop any client that looks for it."""
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "up", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "AWS_PROFILE": "missing", "AWS_ENDPOINT_URL": "http://192.0.2.1", "HOME": str(tmp_path)},
    )
    assert done.returncode == 0


SHARING = """
  scoped-identity:guests:
    reason: Visitors read the public notes before they sign up.
    grants:
      - shared: {bucket: notes-dev-public, prefix: notes/, why: Public notes are there for everybody.}
"""


def test_what_is_shared_on_purpose_is_printed_as_the_packs_config_and_passes_with_it(tmp_path: Path) -> None:
    copy = copy_of_the_project(tmp_path / "copy")
    with (copy / "Pulumi.dev.yaml").open("a", encoding="utf-8") as file:
        file.write(SHARING)
    stopped = run("up", cwd=copy)
    assert stopped.returncode == 1
    assert "policy violation guests-are-declared (mandatory)" in stopped.stderr
    wanted = stopped.stderr[stopped.stderr.index("{\n") : stopped.stderr.rindex("}") + 1]
    (tmp_path / "pack.json").write_text(wanted)
    told = run("up", "--policy-pack-config", str(tmp_path / "pack.json"), cwd=copy)
    assert told.returncode == 0, told.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "No such file"),
        ("{", "must be a JSON file"),
        ("[]", "must be an object"),
        ('{"a": 1}', "must be an object"),
    ],
)
def test_a_pack_config_that_cannot_be_read_is_one_clear_line(
    tmp_path: Path, text: str | None, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "pack.json"
    if text is not None:
        path.write_text(text)
    assert main(["up", "--policy-pack-config", str(path)]) == 2
    assert message in capsys.readouterr().err


def test_a_setting_of_the_pack_that_it_does_not_know_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "pack.json"
    path.write_text('{"guests-are-declared": {"guest": []}}')
    assert main(["up", "--policy-pack-config", str(path)]) != 0
    assert "guest" in capsys.readouterr().err


def test_the_command_deploys_the_project_of_the_folder_it_is_called_in(tmp_path: Path) -> None:
    """And not the project that the sandbox is part of, which an installation does not have."""
    shutil.copytree(ROOT / "components", tmp_path / "components")
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml", "__main__.py"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "Pulumi.dev.yaml").rename(tmp_path / "Pulumi.mine.yaml")
    program = (
        f"import sys; sys.path[:1] = [{str(ROOT)!r}]; from identity_sandbox.program import command; sys.exit(command())"
    )
    start = [sys.executable, "-c", program, "up", "--no-pack", "--stack"]
    done = subprocess.run([*start, "dev"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (2, "error: the stack `dev` does not exist; existing stacks: mine\n")
    done = subprocess.run([*start, "mine"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / ".sandbox" / "mine.html").exists()
