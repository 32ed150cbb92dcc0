"""Protections that stand behind others: taken out together with them."""

from tests.model.stages import Stages
from tests.protections import small, steps
from tests.protections.table import Protection

FREE_IDS = Protection(
    name="deterministic exit ids",
    why="two who want a position sold are one sale",
    scenario=small.sold_by_two,
    stages=Stages(replaced={"exit": steps.named_at_random}),
)
LEDGER = Protection(name="ledger natural key", why="", scenario=small.sold_and_signalled, guards=("is_new",))
FINISHED = Protection(
    name="conditional record", why="", scenario=small.unsent_and_swept, guards=("intent_not_finished",)
)
SLOT = Protection(
    name="slot guards", why="", scenario=small.twice, guards=("slot_in_state", "slot_is_ours", "quantity_unchanged")
)
COVERS = Protection(
    name="covers", why="", scenario=small.twice, guards=("reserved_covers", "deployed_covers", "available_covers")
)
GATE = Protection(name="send gate", why="", scenario=small.twice, guards=("not_sent_yet",))
