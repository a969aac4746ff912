"""The HTTP server: reads each request strictly, and writes each response.

Requests are read by `http` from the bytes of the connection; Python's own reader accepts what AWS does not. After a request
that cannot be read, the connection is closed, since nobody can say where the next one begins.
"""

from __future__ import annotations

import logging
import socket
import socketserver
import threading
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import BinaryIO

from ..errors import InputError
from .errors import AwsError
from .http import Head, HttpRequest, Response, body_length, parse_head, read_body, read_head
from .protocols import Protocol, error_response, protocol_of

IDLE = 60.0
"""Seconds after which a connection that sends nothing is closed."""

Respond = Callable[[HttpRequest], Response]

_LOG = logging.getLogger(__name__)


class CannotListen(InputError):
    """The port is in use, or this user may not listen on it."""


class HangUp(Exception):
    """Close the connection without a response; tests raise it."""


class Listener:
    """Listens on 127.0.0.1, with a thread for each connection.

    Args:
        port: 0 chooses a free one.
    """

    def __init__(self, port: int, respond: Respond) -> None:
        self._port = port
        self._respond = respond
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen.

        Raises:
            CannotListen: the port is in use.
        """
        try:
            self._server = _Server(self._port, self._respond)
        except OSError as error:
            reason = error.strerror or error
            raise CannotListen(
                f"cannot listen on 127.0.0.1:{self._port}: {reason}; choose another port with --port or PORT="
            ) from None
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.close()
            self._thread.join()
            self._server = self._thread = None

    @property
    def address(self) -> tuple[str, int]:
        if self._server is None:
            raise RuntimeError("the sandbox has not been started")
        host, port = self._server.server_address[:2]
        return str(host), int(port)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True  # a restart need not wait for old connections
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, respond: Respond) -> None:
        self.respond = respond
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Connection)

    def opened(self, connection: socket.socket) -> None:
        with self._connections_lock:
            self._connections.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._connections_lock:
            self._connections.discard(connection)

    def close(self) -> None:
        """Stop listening, and hang up on whoever is connected."""
        self.server_close()
        with self._connections_lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        _LOG.debug("a connection failed", exc_info=True)


class _Connection(socketserver.StreamRequestHandler):
    """One connection, on which requests follow each other."""

    timeout = IDLE
    disable_nagle_algorithm = True
    server: _Server

    def handle(self) -> None:
        self.server.opened(self.connection)
        try:
            with suppress(OSError, HangUp):  # the client has gone, or sends nothing
                while self._serve_one():
                    pass
        finally:
            self.server.closed(self.connection)

    def _serve_one(self) -> bool:
        """Serve a request; whether another may follow."""
        head: Head | None = None
        try:
            text = read_head(self._stream)
            if text is None:
                return False
            head = parse_head(text)
            length = body_length(head)
            if "expect" in head.headers and length != 0:
                self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request = HttpRequest(head.method, head.segments, head.query, head.headers, read_body(self._stream, length))
        except AwsError as error:
            self._send(error_response(error, protocol_of(head) if head else Protocol.S3), "", close=True)
            return False
        close = request.headers.get("connection", "").lower() == "close" or _is_old(text)
        self._send(self.server.respond(request), request.method, close)
        return not close

    @property
    def _stream(self) -> BinaryIO:
        return self.rfile  # type: ignore[return-value]

    def _send(self, response: Response, method: str, close: bool) -> None:
        try:
            phrase = HTTPStatus(response.status).phrase
        except ValueError:
            phrase = "Unknown"
        headers = dict(response.headers)
        if response.status not in (204, 304) and not (method == "HEAD" and "Content-Length" in headers):
            headers["Content-Length"] = str(len(response.body))
        if close:
            headers["Connection"] = "close"
        lines = [f"HTTP/1.1 {response.status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
        # What a client sent may come back in a header, and must not begin another one.
        head = "\r\n".join(line.replace("\r", " ").replace("\n", " ") for line in lines) + "\r\n\r\n"
        body = b"" if method == "HEAD" or response.status in (204, 304) else response.body
        self.wfile.write(head.encode("latin-1", "replace") + body)


def _is_old(text: bytes) -> bool:
    return text.split(b"\r\n", 1)[0].endswith(b"HTTP/1.0")
