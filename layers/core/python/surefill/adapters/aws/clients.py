"""AWS clients with short timeouts. botocore directly: the functions need no resources, only calls."""

from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config

_CONFIG = Config(connect_timeout=1, read_timeout=5, retries={"mode": "standard", "max_attempts": 3})
# A function that is invoked takes its time, and must not be invoked again because it does.
_PATIENT = Config(connect_timeout=1, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 1})


@cache
def client(service: str) -> Any:
    """The client of a service, one per process; region, credentials and endpoint come from the environment."""
    config = _PATIENT if service == "lambda" else _CONFIG
    return botocore.session.get_session().create_client(service, config=config)


class LateClient:
    """A client that is made when it is first used: for what a function needs seldom or never.

    What a function needs at every order is made while it starts instead, when Lambda gives it a whole processor.
    """

    def __init__(self, service: str) -> None:
        self._service = service

    def __getattr__(self, name: str) -> Any:
        return getattr(client(self._service), name)
