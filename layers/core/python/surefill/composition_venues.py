"""The venues of a stage, for functions that talk to one. Importing this loads ccxt."""

from surefill.adapters.aws.clients import client
from surefill.adapters.aws.secrets import ManagedSecrets
from surefill.adapters.venues import RealVenues
from surefill.ports import Clock, Store, Venues
from surefill.settings import Settings


def venues_of(settings: Settings, *, store: Store, clock: Clock) -> Venues:
    """Adapters for the venues and accounts of the stage."""
    return RealVenues(
        hosts=settings.venues,
        secrets=ManagedSecrets(client=client("secretsmanager"), clock=clock),
        secret_prefix=f"surefill/{settings.stage}/",
        store=store,
        clock=clock,
    )
