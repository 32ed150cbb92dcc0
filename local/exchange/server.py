"""The exchange behind HTTP/1.1 on this machine, with keep-alive and one thread per connection."""

from __future__ import annotations

import errno
import sys
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

from local.exchange.effects import never_arrives
from local.exchange.messages import Delivery, Request, Response, json_response

if TYPE_CHECKING:
    from local.exchange.core import Exchange

_LARGEST_BODY = 1_000_000


class PortInUseError(Exception):
    """The port can't be taken; the text says which and what to do."""


class RunningServer:
    """A server that is answering on `port` until closed."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self._server = server
        self._thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Address for clients, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def wait(self) -> None:
        """Until closed."""
        self._thread.join()

    def close(self) -> None:
        """Stop answering and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def serve(exchange: Exchange, port: int = 0, *, host: str = "127.0.0.1") -> RunningServer:
    """Serve an exchange; port 0 takes a free one. Raises PortInUseError."""

    class Handler(_Handler):
        pass

    Handler.exchange = exchange
    try:
        server = _Server((host, port), Handler)
    except OSError as problem:
        if problem.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        taken = problem.errno == errno.EADDRINUSE
        reason = "is in use by another program" if taken else "may not be used by this user"
        raise PortInUseError(f"port {port} on {host} {reason}, expected a free one; choose one with --port") from None
    return RunningServer(server)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle of a request is no news; anything else is."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Reads a request, waits where a fault says so (in real seconds), delivers the reply."""

    exchange: Exchange
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024  # headers and body leave in one packet

    def answer(self) -> None:
        """One request of any method."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > _LARGEST_BODY:
            self.close_connection = True
            self._write(json_response({"error": f"body length must be 0 to {_LARGEST_BODY}, was {length}"}, status=413))
            return
        path, _, query = self.path.partition("?")
        request = Request(
            method=self.command,
            path=path,
            query=query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(int(length)),
        )
        try:
            response = self._response_to(request)
        except Exception:
            # A broken promise of the exchange itself: it must be seen, and the client must not hang.
            traceback.print_exc(file=sys.stderr)
            problem = {"code": -1000, "msg": "An unknown error occurred while processing the request."}
            response = json_response(problem, status=500)
        self._write(response)

    def _response_to(self, request: Request) -> Response:
        admission = self.exchange.admit(request)
        if admission.delay_ms and not never_arrives(admission.faults):
            time.sleep(admission.delay_ms / 1_000)
        response = self.exchange.complete(admission)
        if response.delay_ms:
            time.sleep(response.delay_ms / 1_000)
        return response

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - the names http.server calls

    def _write(self, response: Response) -> None:
        if response.delivery not in (Delivery.REPLY, Delivery.TRUNCATE):
            # A server can't refuse a single connection, so every lost reply is a closed connection here.
            self.close_connection = True
            return
        body = response.body
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if response.delivery is Delivery.TRUNCATE:
            self.close_connection = True
            body = body[: len(body) // 2]
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet: /admin/requests tells what came."""
