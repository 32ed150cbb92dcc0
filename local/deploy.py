"""`make deploy STAGE=dev`: the same application, to the AWS account of the caller's own credentials."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.errors import LocalError
from local.stage.toolchain import require_toolchain

_REPOSITORY = Path(__file__).resolve().parent.parent


def main(arguments: list[str] | None = None) -> int:
    """Deploy; the exit code. What is in the way is one sentence and exit code 2."""
    parser = argparse.ArgumentParser(prog="python -m local.deploy", description=__doc__)
    parser.add_argument("--stage", required=True, help="name of the stage: dev, staging, prod, ...")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="a setting: alarm_email, notify, venues, ..."
    )
    options = parser.parse_args(arguments)
    stage = options.stage
    try:
        if unclear := [text for text in options.set if "=" not in text]:
            raise LocalError(f"a setting must look like notify=telegram, was {unclear[0]!r}")
        if stage == "local":
            raise LocalError("the stage 'local' lives on this machine: it is deployed by `make up`")
        account, region = _account()
        toolchain = require_toolchain(_REPOSITORY)
    except LocalError as problem:
        sys.stderr.write(f"surefill: {problem}\n")
        return 2
    sys.stderr.write(f"stage {stage} in account {account}, {region}\n")
    context = [f"--context={text}" for text in (f"stage={stage}", *options.set)]
    for command in (
        ("bootstrap", f"aws://{account}/{region}", *context),
        ("deploy", "--all", "--require-approval=broadening", *context),
    ):
        code = subprocess.run(  # noqa: S603
            toolchain.command(*command), cwd=_REPOSITORY, check=False
        ).returncode
        if code:
            return code
    return 0


def _account() -> tuple[str, str]:
    """Account and region of the caller. Raises LocalError when there are no usable credentials."""
    session = boto3.session.Session(region_name=os.environ.get("AWS_REGION"))
    if session.region_name is None:
        raise LocalError("no AWS region is set: set AWS_REGION, or a region in your AWS profile, and try again")
    try:
        caller = session.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise LocalError(
            f"deploying needs AWS credentials, and the ones found do not work ({error}): set AWS_PROFILE, or log in"
        ) from error
    return caller["Account"], session.region_name


if __name__ == "__main__":
    raise SystemExit(main())
