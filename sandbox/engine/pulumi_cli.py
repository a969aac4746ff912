"""The Pulumi CLI: the real engine, on a program of this Python process.

The program is served to the engine by the SDK's Automation API, and the policy pack is started as an executable file: no
language host is needed. Projects, state and Pulumi's own files are in folders that the caller gives. The provider is the
sandbox's, `sandbox/bin`.
"""

from __future__ import annotations

import gc
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import grpc
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from ..errors import InputError

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / ".engine" / "bin"
"""Where `make engine` puts the CLI if the machine has none."""

Program = Callable[[], None]

STOP_SECONDS = 5

_RUNS_PROGRAM = frozenset({"up", "preview", "refresh", "destroy"})


def minimum_version() -> tuple[int, ...]:
    """The oldest CLI that the project supports, as `Pulumi.yaml` states it."""
    stated = re.search(
        r'^requiredPulumiVersion: ">=([0-9.]+)"', (ROOT / "Pulumi.yaml").read_text(encoding="utf-8"), re.M
    )
    assert stated is not None
    return tuple(map(int, stated[1].split(".")))


def version_of(binary: str | Path) -> tuple[int, ...]:
    """A CLI's version; empty if it does not run."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:  # the CLI writes logs
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": home,
            "PULUMI_HOME": home,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        try:
            answer = subprocess.run(
                [str(binary), "version"], capture_output=True, text=True, timeout=60, env=environment
            ).stdout
        except (OSError, subprocess.SubprocessError):
            return ()
    version = re.match(r"v?(\d+)\.(\d+)\.(\d+)", answer.strip())
    return tuple(map(int, version.groups())) if version else ()


def installed() -> Path | None:
    """The CLI to use: the one on PATH if it is new enough, else the one that `make engine` built."""
    candidates = (shutil.which("pulumi"), shutil.which("pulumi", path=str(BUILT)))
    return next((Path(path) for path in candidates if path and version_of(path) >= minimum_version()), None)


def language_host(language: str) -> Path | None:
    """The CLI's plugin for programs in a language."""
    name = f"pulumi-language-{language}"
    path = shutil.which(name) or shutil.which(name, path=str(BUILT))
    return Path(path) if path else None


class NoCli(InputError):
    """There is no CLI, or none that is new enough."""


def required() -> Path:
    """The CLI to use.

    Raises:
        NoCli: says what is needed and how to get it.
    """
    path = installed()
    if path is not None:
        return path
    oldest = ".".join(map(str, minimum_version()))
    found = shutil.which("pulumi")
    version = version_of(found) if found else ()
    reason = "is not installed"
    if found:
        reason = f"`{found}` is version {'.'.join(map(str, version))}" if version else f"`{found}` does not run"
    raise NoCli(
        f"the Pulumi CLI {oldest} or newer is required, and {reason}; install it "
        "(https://www.pulumi.com/docs/install/), or build it with Go: make engine"
    )


def file_program(main: Path) -> Program:
    """A program's file as a function."""
    return lambda: _run(main)


def _run(main: Path) -> None:
    runpy.run_path(str(main), run_name="__main__")


def pack_executable(folder: Path, pack: Path = ROOT / "policies") -> Path:
    """Write an executable file that starts a policy pack in this environment; the engine accepts it as a pack."""
    file = folder / "identity-scope"
    command = shlex.join([sys.executable, str(pack)])
    file.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
    file.chmod(0o755)
    return file


class _Server(LanguageServer):
    """A program's server that reports why the program failed."""

    def __init__(self, program: Program, failed: Callable[[str], None]) -> None:
        super().__init__(program)
        self._failed = failed
        self.ended_well = True

    def Run(self, request: Any, context: Any) -> Any:  # noqa: N802 the protocol's name
        self.ended_well = False
        try:
            result = super().Run(request, context)  # type: ignore[no-untyped-call]
        except Exception as error:  # what a task raises that is cancelled at the end of a program that failed
            result = language_pb2.RunResponse(error=str(error))
        self.ended_well = not (result.error or result.bail)
        if result.error:
            self._failed(result.error)
        return result


@contextmanager
def served(program: Program, failed: Callable[[str], None] = lambda _: None) -> Iterator[str]:
    """Serve a program to the engine; the address is the value of its option `--client`.

    Args:
        failed: called with the message of an error that ends the program.
    """
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    runtime = _Server(program, failed)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(runtime, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(0).wait(STOP_SECONDS)
        if not runtime.ended_well:
            # What such a program leaves behind holds broken connections to its engine. gRPC shares them by address, so that
            # an engine that gets the same port later would not be reached.
            gc.collect()


class PulumiCli:
    """The CLI with its state in one folder.

    Args:
        binary: the CLI.
        folder: for the state and Pulumi's own files.
        environment: variables that commands get besides PATH.
    """

    def __init__(self, binary: Path, folder: Path, environment: Mapping[str, str]) -> None:
        self._binary = binary
        path = (ROOT / "sandbox" / "bin", binary.parent, BUILT, os.environ.get("PATH", ""))
        self.environment = {
            "HOME": str(folder),
            "PATH": os.pathsep.join(map(str, path)),
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": folder.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "sandbox",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            **environment,
        }

    def start(
        self,
        project: Path,
        *arguments: str,
        client: str | None = None,
        output: IO[str] | int = subprocess.PIPE,
        errors: int = subprocess.STDOUT,
    ) -> subprocess.Popen[str]:
        """Start a command in a project's folder. A Ctrl-C on the terminal does not reach it.

        Args:
            client: where the program is served; None for a program that a language host runs.
        """
        command = [str(self._binary), "-C", str(project), "--non-interactive", "--color", "never", *arguments]
        if client is not None and arguments[0] in _RUNS_PROGRAM:
            command.append(f"--client={client}")
        return subprocess.Popen(
            command,
            env=self.environment,
            text=True,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
