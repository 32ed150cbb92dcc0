"""The CDK command line is pinned exactly; its lock names no registry."""

from __future__ import annotations

import json
from typing import Any

from tests.infra.conftest import REPOSITORY


def read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((REPOSITORY / name).read_text(encoding="utf-8"))
    return content


def test_the_command_line_is_pinned_to_one_version() -> None:
    assert read("package.json")["devDependencies"] == {"aws-cdk": "2.1148.1"}


def test_the_lock_agrees_and_names_no_registry() -> None:
    packages = read("package-lock.json")["packages"]
    assert packages["node_modules/aws-cdk"]["version"] == "2.1148.1"
    assert packages["node_modules/aws-cdk"]["integrity"].startswith("sha512-")
    assert not any("resolved" in package for package in packages.values())
