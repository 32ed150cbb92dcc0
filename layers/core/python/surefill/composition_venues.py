"""The venues of a stage, for functions that talk to one. Importing this loads ccxt."""

from surefill.adapters.aws.clients import LateClient, client
from surefill.adapters.aws.secrets import ManagedSecrets
from surefill.adapters.venues import RealVenues
from surefill.ports import Clock, Store
from surefill.settings import Settings


def venues_of(settings: Settings, *, store: Store, clock: Clock, public_only: bool = False) -> RealVenues:
    """Adapters for the venues and accounts of the stage; `public_only` when no request will have to be signed."""
    secrets = LateClient("secretsmanager") if public_only else client("secretsmanager")
    return RealVenues(
        hosts=settings.venues,
        secrets=ManagedSecrets(client=secrets, clock=clock),
        secret_prefix=f"surefill/{settings.stage}/",
        store=store,
        clock=clock,
    )
