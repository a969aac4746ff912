"""A page with a script, served on this machine as a development server does."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@contextmanager
def served(folder: Path, script: str, sandbox: Mapping[str, str]) -> Iterator[str]:
    """The address of a page that loads a script of a folder, with the sandbox's settings in `SANDBOX`."""
    html = f'<script>SANDBOX={json.dumps(dict(sandbox))}</script><script type="module" src="{script}"></script>'
    (folder / "index.html").write_text(f'<!doctype html><meta charset="utf-8">{html}', encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass
