"""Who may take on a role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

if TYPE_CHECKING:
    from constructs import Construct


def only_for_this_account(scope: Construct, service: str) -> iam.ServicePrincipal:
    """A service that acts for resources of this account only, never as somebody else's deputy."""
    return iam.ServicePrincipal(service, conditions={"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}})
