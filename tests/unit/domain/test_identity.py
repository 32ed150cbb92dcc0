"""Names that duplicates share and nothing else does."""

from datetime import timedelta

import pytest

from surefill.domain.identity import entry_intent_id, exit_intent_id
from tests.fakes.rows import TICK

PARTS = {"stage": "prod", "account_id": "live-binance-a", "bot_id": "b", "symbol": "BTC/USDT", "tick": TICK}


def test_the_same_signal_has_the_same_name() -> None:
    assert entry_intent_id(**PARTS) == entry_intent_id(**PARTS)  # type: ignore[arg-type]
    assert len(entry_intent_id(**PARTS)) == 32  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"stage": "dev"}, {"account_id": "paper-binance-a"}, {"bot_id": "c"}, {"symbol": "ETH/USDT"},
        {"tick": TICK + timedelta(minutes=1)},
    ],
)  # fmt: skip
def test_anything_else_has_another(change: dict[str, object]) -> None:
    assert entry_intent_id(**PARTS) != entry_intent_id(**{**PARTS, **change})  # type: ignore[arg-type]


def test_all_exits_of_one_attempt_share_their_name() -> None:
    entry = entry_intent_id(**PARTS)  # type: ignore[arg-type]
    assert exit_intent_id(entry_intent_id=entry, attempt=0) == exit_intent_id(entry_intent_id=entry, attempt=0)
    assert exit_intent_id(entry_intent_id=entry, attempt=0) != exit_intent_id(entry_intent_id=entry, attempt=1)


def test_a_part_that_could_blur_two_names_is_refused() -> None:
    with pytest.raises(ValueError, match="without '\\|'"):
        entry_intent_id(**{**PARTS, "bot_id": "a|b"})  # type: ignore[arg-type]
