"""The AWS Solutions checks pass for a stable stage, and they do check."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aws_cdk import aws_sqs as sqs

from infra import nag
from infra.application import compose
from infra.settings import stage_from_context
from tests.infra.conftest import new_app

if TYPE_CHECKING:
    from aws_cdk import App

    from infra.application import Stacks
    from tests.infra.conftest import StubCode


def checked(stub_code: StubCode, **context: str) -> tuple[App, Stacks]:
    app = new_app({"stage": "prod", **context})
    stage = stage_from_context(app.node.try_get_context)
    stacks = compose(app, stage=stage, code=stub_code)
    nag.check(app, stage=stage, stacks=stacks)
    return app, stacks


@pytest.mark.parametrize("context", [{}, {"notify": "webhook,telegram", "alarm_email": "operator@example.com"}])
def test_a_stable_stage_has_no_unacknowledged_finding(stub_code: StubCode, context: dict[str, str]) -> None:
    app, _ = checked(stub_code, **context)
    app.synth()


def test_a_new_finding_stops_the_synthesis(stub_code: StubCode) -> None:
    app, stacks = checked(stub_code)
    sqs.Queue(stacks.trading, "Unguarded")
    with pytest.raises(RuntimeError, match=r"ValidationFailed|[Vv]alidation failed"):
        app.synth()
