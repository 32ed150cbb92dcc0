"""All races by their names."""

from collections.abc import Mapping

from tests.races.claims import NewDay, OneBudget, OneSlot
from tests.races.kill_switch import StopRace
from tests.races.money import Funds, TornReads
from tests.races.orders import Bookings, OneExit, SendGate, SendOrVoid
from tests.races.positions import LossesOfADay, OneTranche
from tests.races.workload import Workload

WORKLOADS: Mapping[str, Workload] = {
    made.name: made
    for made in (
        OneSlot(), OneBudget(), NewDay(), OneExit(), SendGate(), SendOrVoid(), Bookings(), Funds(), TornReads(),
        StopRace(),
        OneTranche(), LossesOfADay(),
    )
}  # fmt: skip
