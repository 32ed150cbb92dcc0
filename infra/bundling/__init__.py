"""Builds what runs in Lambda, without Docker and byte for byte the same on every machine.

A layer is a recipe (``layers/<name>/recipe.toml``) applied to the lock file for one target. Every module ships with
bytecode compiled by the target's own Python: Lambda cannot write bytecode beside the code, so a module without it is
compiled again at every cold start, which makes imports several times slower.
"""

from infra.bundling.build import Built, build_function, build_layer
from infra.bundling.errors import BuildError, CannotBuildHereError
from infra.bundling.target import Target

__all__ = ["BuildError", "Built", "CannotBuildHereError", "Target", "build_function", "build_layer"]
