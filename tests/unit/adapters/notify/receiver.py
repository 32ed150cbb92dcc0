"""A receiver on this machine: real HTTP, remembers every request and answers as it is told."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    """What arrived, and with which status to answer (the last one again when there is only one)."""

    statuses: list[int] = field(default_factory=lambda: [200])
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    slow: threading.Event = field(default_factory=threading.Event)
    is_slow: bool = False
    url: str = ""

    def json(self, index: int = -1) -> Any:
        return json.loads(self.bodies[index])

    def status(self) -> int:
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Listen on 127.0.0.1 while the block runs."""
    seen = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            seen.paths.append(self.path)
            seen.headers.append(dict(self.headers))
            seen.bodies.append(body)
            if seen.is_slow:
                seen.slow.wait(10)
            status = seen.status()
            self.send_response(status)
            if status in (301, 302, 307):
                self.send_header("Location", f"{seen.url}/elsewhere")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    seen.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        seen.slow.set()
        server.shutdown()
        server.server_close()
        thread.join()
