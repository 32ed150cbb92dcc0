"""What differs between stages, and nothing else.

A stage is read once, in ``app.py``, from the CDK context (``-c stage=prod -c alarm_email=me@example.com``).
Constructs receive the frozen result; none of them reads the context or the environment again.
"""

from __future__ import annotations

import json
import platform
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Architecture = Literal["arm64", "x86_64"]
Channel = Literal["webhook", "telegram"]

LOCAL = "local"
STABLE_STAGES = frozenset({"staging", "prod"})
LAMBDA_PYTHON = "3.13"

# The only hosts a live client may call. A venue that is not here cannot be deployed.
VENUE_HOSTS: Mapping[str, tuple[str, ...]] = {
    "binance": ("api.binance.com",),
    "binanceus": ("api.binance.us",),
    "bybit": ("api.bybit.com",),
    "gate": ("api.gateio.ws",),
    "kraken": ("api.kraken.com",),
    "kucoin": ("api.kucoin.com",),
    "okx": ("www.okx.com",),
}

_STAGE_NAME = re.compile(r"[a-z][a-z0-9]{1,11}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_MODEL = re.compile(r"[a-z0-9-]+\.[a-z0-9.:-]+")
_RETENTION_DAYS = (1, 7, 14, 30, 90, 180, 365)


class SettingsError(ValueError):
    """A context value that cannot be deployed; the text says which, why and what was expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueAccess:
    """How a stage reaches one venue.

    ``endpoint`` replaces the venue's own address (simulator, testnet); ``None`` means the real hosts.
    ``hosts`` is the allow-list every request of a live client is checked against.
    """

    endpoint: str | None
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One deployment of Surefill. Names of all resources derive from ``name``."""

    name: str
    is_local: bool
    is_stable: bool
    architecture: Architecture
    python: str
    venues: Mapping[str, VenueAccess]
    exchange_url: str | None
    clock_url: str | None
    aws_endpoint: str | None
    log_retention_days: int
    alarm_email: str | None
    notify: tuple[Channel, ...]
    adviser_model: str | None
    reserves_concurrency: bool

    @property
    def prefix(self) -> str:
        return f"surefill-{self.name}"

    @property
    def table_prefix(self) -> str:
        return f"{self.prefix}-"

    @property
    def secret_prefix(self) -> str:
        """Exchange keys are secrets named ``surefill/<stage>/<account>``, made by their owner, never by CDK."""
        return f"surefill/{self.name}/"

    def notify_secret(self, channel: Channel) -> str:
        """Name of a destination's secret. Outside `secret_prefix`: who trades reads no tokens, who tells no keys."""
        return f"surefill-notify/{self.name}/{channel}"

    @property
    def venues_json(self) -> str:
        return json.dumps(
            {name: {"endpoint": venue.endpoint, "hosts": list(venue.hosts)} for name, venue in self.venues.items()},
            sort_keys=True,
        )

    def resource(self, name: str) -> str:
        """Physical name of a resource, e.g. ``surefill-prod-evaluations``."""
        return f"{self.prefix}-{name}"

    def stack(self, name: str) -> str:
        return f"Surefill-{self.name}-{name}"


def stage_from_context(lookup: Callable[[str], object | None]) -> Stage:
    """Read a stage through ``lookup`` (``app.node.try_get_context``).

    Raises:
        SettingsError: a value is missing a precondition or malformed.
    """
    read = _Context(lookup)
    name = read.text("stage") or LOCAL
    if not _STAGE_NAME.fullmatch(name):
        raise SettingsError(f"stage must be 2 to 12 lower-case letters or digits, starting with a letter, was {name!r}")
    is_local, is_stable = name == LOCAL, name in STABLE_STAGES
    exchange_url = read.url("exchange_url")
    if is_local:
        exchange_url = exchange_url or "http://127.0.0.1:9100"
    elif exchange_url:
        _refuse_unsafe_exchange(exchange_url, stage=name, is_stable=is_stable)
    clock_url, aws_endpoint = read.url("clock_url"), read.url("aws_endpoint")
    if is_local and not aws_endpoint:
        # Without it the local stage would be deployed to whatever account the credentials at hand belong to.
        raise SettingsError(
            "the stage 'local' needs -c aws_endpoint=<address of the local AWS>; a stage on AWS needs -c stage=<name>"
        )
    for key, value in (("clock_url", clock_url), ("aws_endpoint", aws_endpoint)):
        if value and not is_local:
            raise SettingsError(f"{key} is for the stage 'local' only, was {value!r} on stage {name!r}")
    return Stage(
        name=name,
        is_local=is_local,
        is_stable=is_stable,
        architecture=host_architecture() if is_local else "arm64",
        python=f"{sys.version_info.major}.{sys.version_info.minor}" if is_local else LAMBDA_PYTHON,
        venues=_venues(read.text("venues") or "binance", exchange_url),
        exchange_url=exchange_url,
        clock_url=clock_url,
        aws_endpoint=aws_endpoint,
        log_retention_days=read.choice("log_retention_days", _RETENTION_DAYS, default=90 if is_stable else 7),
        alarm_email=_email(read.text("alarm_email")),
        notify=_channels(read.text("notify") or ""),
        adviser_model=_model(read.text("adviser_model")),
        reserves_concurrency=read.flag("reserved_concurrency", default=True),
    )


def host_architecture() -> Architecture:
    """Architecture of this machine in Lambda's words.

    Raises:
        SettingsError: neither x86-64 nor arm64.
    """
    machine = platform.machine().lower()
    if machine in ("x86_64", "amd64"):
        return "x86_64"
    if machine in ("aarch64", "arm64"):
        return "arm64"
    raise SettingsError(f"machine must be x86-64 or arm64, was {machine!r}")


def _venues(names: str, exchange_url: str | None) -> Mapping[str, VenueAccess]:
    chosen = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in chosen if name not in VENUE_HOSTS]
    if unknown or not chosen:
        raise SettingsError(f"venues must be a comma separated list of {', '.join(VENUE_HOSTS)}, was {names!r}")
    if exchange_url is None:
        return {name: VenueAccess(endpoint=None, hosts=VENUE_HOSTS[name]) for name in chosen}
    host = urlsplit(exchange_url).hostname or ""
    return {name: VenueAccess(endpoint=exchange_url, hosts=(host,)) for name in chosen}


def _refuse_unsafe_exchange(url: str, *, stage: str, is_stable: bool) -> None:
    if is_stable:
        raise SettingsError(f"a stable stage trades on the venues' own hosts, exchange_url was {url!r} on {stage!r}")
    if urlsplit(url).scheme != "https":
        raise SettingsError(f"exchange_url must be https outside the stage 'local', was {url!r}")


def _channels(names: str) -> tuple[Channel, ...]:
    known: tuple[Channel, ...] = get_args(Channel)
    chosen = [name.strip() for name in names.split(",") if name.strip()]
    if unknown := [name for name in chosen if name not in known]:
        raise SettingsError(f"notify must be a comma separated list of {', '.join(known)}, was {unknown[0]!r}")
    return tuple(channel for channel in known if channel in chosen)


def _model(value: str | None) -> str | None:
    if value is not None and not _MODEL.fullmatch(value):
        raise SettingsError(f"adviser_model must be a Bedrock model id such as amazon.nova-lite-v1:0, was {value!r}")
    return value


def _email(value: str | None) -> str | None:
    if value is not None and not _EMAIL.fullmatch(value):
        raise SettingsError(f"alarm_email must look like name@example.com, was {value!r}")
    return value


class _Context:
    """Typed reads of the CDK context; values of ``-c key=value`` are always text, those of cdk.json may not be."""

    def __init__(self, lookup: Callable[[str], object | None]) -> None:
        self._lookup = lookup

    def text(self, key: str) -> str | None:
        value = self._lookup(key)
        if value is None or value == "":
            return None
        return str(value)

    def url(self, key: str) -> str | None:
        value = self.text(key)
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise SettingsError(f"{key} must be an http(s) address without query, was {value!r}")
        return value.rstrip("/")

    def choice(self, key: str, allowed: tuple[int, ...], *, default: int) -> int:
        value = self.text(key)
        if value is None:
            return default
        if not value.isdigit() or int(value) not in allowed:
            raise SettingsError(f"{key} must be one of {', '.join(map(str, allowed))}, was {value!r}")
        return int(value)

    def flag(self, key: str, *, default: bool) -> bool:
        value = (self.text(key) or ("true" if default else "false")).lower()
        if value not in ("true", "false"):
            raise SettingsError(f"{key} must be true or false, was {value!r}")
        return value == "true"
