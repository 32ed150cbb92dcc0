"""Reads CloudFormation templates: references become readable names."""

from __future__ import annotations

from typing import Any

_PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "region",
    "AWS::AccountId": "account",
    "AWS::URLSuffix": "amazonaws.com",
}
_NAMES = ("FunctionName", "QueueName", "LogGroupName", "TopicName", "StateMachineName", "TableName", "RoleName", "Name")


class Template:
    """One stack's template. ``text`` renders any value; a reference is shown as ``<type>:<physical name>``."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body
        self.resources: dict[str, dict[str, Any]] = body.get("Resources", {})
        self.outputs: dict[str, dict[str, Any]] = body.get("Outputs", {})

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        return {name: resource for name, resource in self.resources.items() if resource["Type"] == kind}

    def named(self, kind: str, name: str) -> dict[str, Any]:
        """Properties of the resource of a type with a physical name."""
        for resource in self.of_type(kind).values():
            if name in {resource["Properties"].get(key) for key in _NAMES}:
                found: dict[str, Any] = resource["Properties"]
                return found
        raise LookupError(f"no {kind} is named {name!r}")

    def text(self, value: Any) -> str:
        if isinstance(value, str | int | float):
            return str(value)
        if not isinstance(value, dict) or len(value) != 1:
            raise TypeError(f"a value must be text or one reference, was {value!r}")
        ((kind, argument),) = value.items()
        if kind == "Ref":
            return _PSEUDO.get(argument) or self._name(argument)
        if kind == "Fn::GetAtt":
            return self._name(argument[0])
        if kind == "Fn::Join":
            return str(argument[0]).join(self.text(part) for part in argument[1])
        if kind == "Fn::ImportValue":
            return f"import:{argument}"
        raise TypeError(f"reference must be Ref, GetAtt, Join or ImportValue, was {kind!r}")

    def _name(self, logical_id: str) -> str:
        resource = self.resources[logical_id]
        kind = resource["Type"].split("::")[-1]
        properties = resource.get("Properties", {})
        name = next((properties[key] for key in _NAMES if isinstance(properties.get(key), str)), logical_id)
        return f"{kind}:{name}"
