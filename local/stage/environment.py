"""The environment of everything the stage starts: its own credentials and addresses, never those of a real account."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# What ministack takes for the root user of its one account.
ROOT_KEY = "test"
ROOT_SECRET = "test"  # noqa: S105 - opens nothing but the local AWS on loopback
REGION = "us-east-1"
_LOOPBACK = "127.0.0.1,localhost,.localhost"


def tool_environment() -> dict[str, str]:
    """The caller's environment without any AWS setting, with this Python's programs first on PATH."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    # Requests to this machine must not take a detour over somebody's proxy.
    without_proxy = ",".join(part for part in (kept.get("NO_PROXY") or kept.get("no_proxy"), _LOOPBACK) if part)
    programs = str(Path(sys.executable).parent)
    return {
        **kept,
        # Node trusts its own list of authorities unless told to trust the machine's, as company proxies need.
        "NODE_OPTIONS": " ".join(filter(None, (kept.get("NODE_OPTIONS"), "--use-system-ca"))),
        "PATH": os.pathsep.join(part for part in (programs, kept.get("PATH")) if part),
        "NO_PROXY": without_proxy,
        "no_proxy": without_proxy,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def root_environment(*, endpoint: str) -> dict[str, str]:
    """The environment of a program that works on the local AWS as its root user."""
    return {
        **tool_environment(),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ROOT_KEY,
        "AWS_SECRET_ACCESS_KEY": ROOT_SECRET,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }
