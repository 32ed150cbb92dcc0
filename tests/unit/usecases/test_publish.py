"""What became of orders is told; what is still open is not."""

from dataclasses import dataclass, field, replace

from surefill.domain.rows import Intent
from surefill.domain.states import IntentState
from surefill.usecases.publish import publish
from tests.fakes.world import World
from tests.unit.usecases.test_order_life import claimed, closing, opened


@dataclass
class ListNotifier:
    """Remembers subjects."""

    subjects: list[str] = field(default_factory=list)

    def publish(self, *, subject: str, intent: Intent) -> None:
        self.subjects.append(subject)


def test_finished_orders_are_told_in_one_line() -> None:
    world, told = World(), ListNotifier()
    bought = world.intent(opened(world).intent_id)
    sold = closing(world)
    world.placer.place(sold, worker="w")
    publish([bought, world.intent(sold.intent_id)], notifier=told)
    assert told.subjects[0].startswith("trend BTC/USDT: entry 1.988 for 198.8")
    assert "exit 1.986 for 198.6" in told.subjects[1]
    assert "exit.take_profit" in told.subjects[1]


def test_an_order_that_was_not_made_says_why() -> None:
    world, told = World(), ListNotifier()
    intent = claimed(world)
    world.venue.script = ["not_sent"]
    world.placer.place(intent, worker="w")
    publish([world.intent(intent.intent_id)], notifier=told)
    assert told.subjects == ["trend BTC/USDT: entry not made (order.never_sent)"]


def test_what_is_open_or_empty_is_not_told() -> None:
    world, told = World(), ListNotifier()
    intent = claimed(world)
    assert publish([intent, replace(intent, state=IntentState.EMPTY)], notifier=told) == 0
