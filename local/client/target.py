"""Which API to call, as whom: the local stage by the file it leaves, a stage on AWS by the outputs of its stack."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.client.errors import UnreachableError
from local.errors import LocalError
from local.stage.announcement import read_announcement
from local.stage.environment import REGION, ROOT_KEY, ROOT_SECRET
from local.stage.ports import HOST

if TYPE_CHECKING:
    from pathlib import Path

    from botocore.credentials import Credentials

LOCAL = "local"
_STAGE_NAME = re.compile(r"[a-z][a-z0-9]{1,11}")
_STACK = "Surefill-{stage}-Control"
_OUTPUT = "ApiUrl"
_CONNECT_SECONDS = 3
_READ_SECONDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What a person said about where to go. `folder` is where the local stage keeps its files."""

    stage: str
    folder: Path
    profile: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An API and who calls it. `connect_to` is the host to connect to when the API's own name does not resolve."""

    stage: str
    url: str
    region: str
    credentials: Credentials
    connect_to: str | None = None
    clock_url: str | None = None
    ca_bundle: str | None = None


def find_target(where: Where) -> Target:
    """Where the API of a stage is. Raises LocalError for what a person must change, UnreachableError otherwise."""
    if not _STAGE_NAME.fullmatch(where.stage):
        raise LocalError(
            f"--stage must be 2 to 12 lower-case letters or digits, starting with a letter, was {where.stage!r}"
        )
    return _local(where) if where.stage == LOCAL else _deployed(where)


def _local(where: Where) -> Target:
    from botocore.credentials import Credentials

    found = read_announcement(where.folder)
    if found is None:
        raise UnreachableError(
            f"no local stage runs in {where.folder}: start one with `surefill up`, "
            "or name a stage on AWS with --stage or SUREFILL_STAGE"
        )
    return Target(
        stage=LOCAL,
        url=found.api_url,
        region=REGION,
        credentials=Credentials(ROOT_KEY, ROOT_SECRET),
        connect_to=HOST,
        clock_url=found.clock_url,
    )


def _deployed(where: Where) -> Target:
    import botocore.session
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ProfileNotFound

    try:
        session: Any = botocore.session.Session(profile=where.profile)
        region = where.region or session.get_config_variable("region")
        credentials = session.get_credentials()
    except ProfileNotFound as error:
        raise LocalError(f"--profile {where.profile!r} is not in your AWS configuration: {error}") from None
    except BotoCoreError as error:
        raise LocalError(f"your AWS credentials can't be read ({error}): log in again") from None
    if not region:
        raise LocalError("no AWS region is set: add --region, set AWS_REGION, or a region in your AWS profile")
    if credentials is None:
        raise LocalError(f"stage {where.stage} needs AWS credentials and none were found: add --profile, or log in")
    config = Config(
        connect_timeout=_CONNECT_SECONDS, read_timeout=_READ_SECONDS, retries={"mode": "standard", "max_attempts": 2}
    )
    stack = _STACK.format(stage=where.stage)
    try:
        client = session.create_client("cloudformation", region_name=region, config=config)
        stacks = client.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        raise LocalError(_told(error, stack=stack, region=region)) from None
    except NoCredentialsError:
        raise LocalError(f"stage {where.stage} needs AWS credentials and none work: log in again") from None
    except BotoCoreError as error:
        raise UnreachableError(f"CloudFormation in {region} did not answer: {error}") from None
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}
    if _OUTPUT not in outputs:
        raise LocalError(f"stack {stack} in {region} has no output {_OUTPUT}: deploy the stage again")
    return Target(
        stage=where.stage,
        url=outputs[_OUTPUT],
        region=region,
        credentials=credentials,
        ca_bundle=session.get_config_variable("ca_bundle"),
    )


def _told(error: Any, *, stack: str, region: str) -> str:
    text = str(error.response.get("Error", {}).get("Message", error))
    if "does not exist" in text:
        return f"there is no stack {stack} in {region}: check --stage, --region and --profile, or deploy the stage"
    return f"the address of the API can't be read from stack {stack} in {region}: {text}"
