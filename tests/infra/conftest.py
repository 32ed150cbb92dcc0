"""Templates synthesised once per session from stub code: neither handlers nor layers are needed to check them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App
from aws_cdk import aws_lambda as lambda_

import infra  # noqa: F401  (chooses the Node.js of the CDK library, so it comes before it)
from infra.application import compose
from infra.settings import Stage, stage_from_context
from tests.infra.templates import Template

if TYPE_CHECKING:
    from collections.abc import Mapping

REPOSITORY = Path(__file__).resolve().parents[2]


class StubCode:
    """A code source with a placeholder for every function and layer."""

    def __init__(self, folder: Path) -> None:
        self._handler = folder / "function"
        self._handler.mkdir()
        (self._handler / "handler.py").write_text("def handler(event, context): ...\n", encoding="utf-8")
        self._layer = folder / "layer"
        (self._layer / "python").mkdir(parents=True)
        (self._layer / "python" / "placeholder.py").write_text("", encoding="utf-8")

    def function(self, name: str) -> lambda_.Code:
        return lambda_.Code.from_asset(str(self._handler))

    def layer(self, name: str) -> lambda_.Code:
        return lambda_.Code.from_asset(str(self._layer))


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A stage and the templates of its stacks."""

    stage: Stage
    data: Template
    trading: Template
    control: Template
    observability: Template

    @property
    def all(self) -> tuple[Template, ...]:
        return (self.data, self.trading, self.control, self.observability)

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """Every resource of a type, in all stacks."""
        return [resource for template in self.all for resource in template.of_type(kind).values()]

    def function(self, name: str) -> tuple[Template, dict[str, Any]]:
        """The template and the properties of one function."""
        wanted = self.stage.resource(name)
        for template in (self.trading, self.control):
            for resource in template.of_type("AWS::Lambda::Function").values():
                if resource["Properties"]["FunctionName"] == wanted:
                    return template, resource["Properties"]
        raise LookupError(f"no function is named {wanted!r}")


@pytest.fixture(scope="session")
def stub_code(tmp_path_factory: pytest.TempPathFactory) -> StubCode:
    return StubCode(tmp_path_factory.mktemp("code"))


def new_app(context: Mapping[str, str] | None = None) -> App:
    """An app with the context of cdk.json, as the command line would give it."""
    configured = json.loads((REPOSITORY / "cdk.json").read_text(encoding="utf-8"))["context"]
    return App(context={**configured, **(context or {})})


def synthesise(stub_code: StubCode, **context: str) -> Deployment:
    app = new_app(context)
    stage = stage_from_context(app.node.try_get_context)
    stacks = compose(app, stage=stage, code=stub_code)
    assembly = app.synth()
    template = {
        name: Template(assembly.get_stack_by_name(stage.stack(name.title())).template)
        for name in ("data", "trading", "control", "observability")
    }
    assert stacks.data.stack_name == stage.stack("Data")
    return Deployment(stage=stage, **template)


@pytest.fixture(scope="session")
def prod(stub_code: StubCode) -> Deployment:
    return synthesise(stub_code, stage="prod", alarm_email="operator@example.com")


@pytest.fixture(scope="session")
def local(stub_code: StubCode) -> Deployment:
    return synthesise(
        stub_code,
        stage="local",
        exchange_url="http://127.0.0.1:9100",
        clock_url="http://127.0.0.1:9100/admin/clock",
        aws_endpoint="http://127.0.0.1:4566",
    )
