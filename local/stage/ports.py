"""TCP ports of this machine. Everything binds 127.0.0.1."""

import socket

from local.errors import LocalError

HOST = "127.0.0.1"


def free_port() -> int:
    """A port nobody listens on now. Another program may take it before it is used; starting on it then fails."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def is_taken(port: int) -> bool:
    """Whether somebody listens on the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
        return False


def require_port(port: int, *, purpose: str, option: str) -> int:
    """The port, a free one for 0. Raises LocalError when it is taken, naming the option that chooses another."""
    if not 0 <= port <= 65_535:
        raise LocalError(f"{option} must be a port from 1 to 65535, or 0 for any free one, was {port}")
    if port == 0:
        return free_port()
    if is_taken(port):
        raise LocalError(
            f"port {port}, wanted for {purpose}, is in use by another program: stop it, or choose another port "
            f"with {option} (0 takes any free one)"
        )
    return port
