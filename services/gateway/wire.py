"""What comes before a request is one: the server's own parser reads heads of any size, and refuses in plain text (E1)."""

from __future__ import annotations

from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.problems import Problem

LONGEST_HEAD = 64 * 1024
LINGER_SECONDS = 1.0


class Wire(HttpToolsProtocol):
    """Reads requests whose line and headers come to some 64 KiB at most; what is no request gets a problem, too."""

    _in_head = False
    _head_bytes = 0
    _refused = False

    def data_received(self, data: bytes) -> None:
        """Read on, unless the head has gone on for too long."""
        if self._refused:
            return
        if self._in_head and self._head_bytes > LONGEST_HEAD:
            self._refuse(Problem(431, "too_large"))
            return
        super().data_received(data)
        self._head_bytes += len(data) if self._in_head else 0

    def on_message_begin(self) -> None:
        """Begin a head."""
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """End it; one that is too long although it came at once is refused, too."""
        self._in_head = False
        self._head_bytes = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if self._head_bytes > LONGEST_HEAD:
            raise ValueError("the head is too long")  # the parser takes it for a bad request
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Say that this is no HTTP, or too much of it; *msg* is the server's own word, and not needed."""
        self._refuse(Problem(431, "too_large") if self._head_bytes > LONGEST_HEAD else Problem(400, "malformed"))

    def _refuse(self, problem: Problem) -> None:
        response = problem.response()
        lines = [f"HTTP/1.1 {response.status_code} {HTTPStatus(response.status_code).phrase}".encode()]
        lines += [name + b": " + value for name, value in response.raw_headers]
        self.transport.write(b"\r\n".join([*lines, b"connection: close", b"", bytes(response.body)]))
        self._refused = True
        self.loop.call_later(LINGER_SECONDS, self.transport.close)  # at once, what is unread would cut off the answer
