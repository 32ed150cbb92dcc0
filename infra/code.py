"""Where the code of functions and layers comes from.

Stacks ask a :class:`CodeSource`. Deployments use :class:`BuiltCode`; tests give a source that needs neither a build
nor the handlers, so that a template can be checked in seconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from aws_cdk import aws_lambda as lambda_

from infra.bundling import Target, build_function, build_layer

if TYPE_CHECKING:
    from infra.catalogue import Layer
    from infra.settings import Stage

REPOSITORY = Path(__file__).resolve().parent.parent


class CodeSource(Protocol):
    """Gives the deployable code of a function or a layer."""

    def function(self, name: str) -> lambda_.Code: ...

    def layer(self, name: Layer) -> lambda_.Code: ...


class BuiltCode:
    """Code built from this repository: dependencies from the lock, compiled for the stage's Python."""

    def __init__(self, *, stage: Stage, repository: Path = REPOSITORY) -> None:
        self._target = Target.for_stage(stage)
        self._venues = tuple(stage.venues)
        self._repository = repository

    def function(self, name: str) -> lambda_.Code:
        return lambda_.Code.from_asset(str(build_function(name, target=self._target, repository=self._repository)))

    def layer(self, name: Layer) -> lambda_.Code:
        built = build_layer(name, target=self._target, venues=self._venues, repository=self._repository)
        return lambda_.Code.from_asset(str(built.folder))
