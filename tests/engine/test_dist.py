"""The pack as one executable file, as `make dist` builds it, here for the running version of Python alone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import dist
from tests.conftest import ROOT
from tests.engine.conftest import Stack
from tests.engine.test_policy import ISOLATION, WIDE

RUNNING = (f"{sys.version_info.major}.{sys.version_info.minor}",)
PAGE = (ROOT / "docs" / "organisation.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return dist.build(tmp_path_factory.mktemp("dist"), versions=RUNNING)


def _first_line(file: Path, folder: Path, **environment: str) -> str:
    """What the file prints first when the engine starts it."""
    python = folder / "bin" / "python3"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    path = {"PATH": f"{python.parent}:/usr/bin:/bin", "PEX_ROOT": str(file.parent / "cache")}
    with subprocess.Popen(
        [file, "127.0.0.1:1"], cwd=folder, env={**path, **environment}, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        line = running.stdout.readline()
        running.terminate()
    return line


def test_the_engine_judges_by_the_file_alone(file: Path, stack: Stack) -> None:
    stack.pack = file
    assert ISOLATION in stack.preview(fails=True, **WIDE)
    stack.up()
    stack.up(pack=False, **WIDE)
    exported = stack.project / "state.json"
    stack.run("stack", "export", "--stack", stack.name, "--file", str(exported))
    command = ("policy", "analyze", "--policy-pack", str(file), "--file", str(exported))
    assert ISOLATION in stack.run(*command, fails=True, program=False)


def test_the_documented_step_downloads_checks_and_runs_it(file: Path, stack: Stack) -> None:
    (script,) = re.findall(r"- run: \|\n((?:    .*\n)+)", PAGE)
    digest = file.with_suffix(".sha256").read_text(encoding="utf-8").split()[0]
    script = script.replace("https://packs.example.com", file.parent.as_uri()).replace("CHECKSUM", digest)
    (stack.project / "pack.json").write_text("{}")
    published = stack.project / "pulumi"
    published.write_text('#!/bin/sh\nprintf "%s " "$@"\n')
    published.chmod(0o755)
    environment = {**stack.cli.environment, "PATH": f"{stack.project}:{os.environ['PATH']}", "STACK": stack.name}
    run = ["bash", "-e", "-c", script]
    done = subprocess.run(run, cwd=stack.project, env=environment, capture_output=True, text=True, check=True)
    words = done.stdout.splitlines()[-1].split()
    assert words[:4] == ["up", "--yes", "--stack", stack.name]
    stack.configure(**WIDE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(stack.project)
        assert ISOLATION in stack.run(*[word for word in words if word not in ("--stack", stack.name)], fails=True)
    (file.parent / "other").mkdir()
    shutil.copy(file, file.parent / "other")
    (file.parent / "other" / file.name).write_bytes(file.read_bytes() + b" ")
    script = script.replace(file.parent.as_uri(), (file.parent / "other").as_uri())
    assert subprocess.run([*run[:-1], script], cwd=stack.project, env=environment, capture_output=True).returncode


def test_it_takes_nothing_of_where_it_is_started(file: Path, tmp_path: Path) -> None:
    for name in ("grpc", "pulumi", "identity_scope", "yaml"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(f'{__file__} is imported')")
    assert re.fullmatch(r"\d+\n", _first_line(file, tmp_path, PYTHONPATH=str(tmp_path), PYTHONSTARTUP="/nonexistent"))


def test_two_builds_give_the_same_bytes(file: Path, tmp_path: Path) -> None:
    mask = os.umask(0o077)
    try:
        again = dist.build(tmp_path, versions=RUNNING)
    finally:
        os.umask(mask)
    assert again.read_bytes() == file.read_bytes()
    assert again.stat().st_mode & 0o777 == 0o755
    checked = subprocess.run(["sha256sum", "--check", "--strict", f"{again.name}.sha256"], cwd=tmp_path)
    assert checked.returncode == 0


def test_what_cannot_be_built_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dist.main(["--platform", "aarch64-unknown-linux-musl-old"]) == 2
    problem = capsys.readouterr().err
    assert re.fullmatch(r"error: uv: .*\n", problem)
    assert "aarch64-unknown-linux-musl-old" in problem
    wheel, site = tmp_path / "wheel", tmp_path / "site"
    for folder, text in ((wheel, "a"), (site, "b")):
        folder.mkdir()
        (folder / "module.py").write_text(text)
    with pytest.raises(dist.CannotBuild, match=r"module\.py differs"):
        dist._merge(wheel, site)
