"""Webhook and Telegram over real HTTP: what arrives, how it is signed, what a refusal means, and what is never said."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator

import pytest

from surefill.adapters.notify.http import HttpPoster
from surefill.adapters.notify.telegram import TelegramNotifier
from surefill.adapters.notify.webhook import WebhookNotifier
from surefill.domain.reasons import Reason
from surefill.ports import NotDeliveredError
from tests.fakes.ports import FakeClock
from tests.fakes.rows import TICK
from tests.unit.adapters.notify.notices import bought, journal, notice, sold
from tests.unit.adapters.notify.receiver import Receiver, receiver

SECRET = "shared-secret-of-the-receiver"
TOKEN = "1234:token-of-the-bot"


@pytest.fixture
def seen() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def webhook(seen: Receiver, **options: float) -> WebhookNotifier:
    return WebhookNotifier(
        url=f"{seen.url}/hook?token=in-the-address", secret=SECRET, clock=FakeClock(), poster=HttpPoster(**options)
    )


def telegram(seen: Receiver) -> TelegramNotifier:
    return TelegramNotifier(token=TOKEN, chat_id="-100", origin=seen.url)


def test_a_webhook_gets_the_notice_with_the_whole_order(seen: Receiver) -> None:
    webhook(seen).tell(notice(sold()))
    body = seen.json()
    assert (body["version"], body["kind"], body["urgent"]) == (1, "exit", False)
    assert body["title"] == "trend BTC/USDT: sold 2 for 205 USDT, +5.7 USDT (+2.86 %)"
    assert body["at"] == "2026-01-05T12:00:02Z"
    assert body["facts"]["realised"] == "5.7"
    assert body["order"]["intent_id"] == "b" * 32
    assert seen.headers[0]["X-Surefill-Event"] == "exit"
    assert seen.headers[0]["Content-Type"] == "application/json"


def test_the_receiver_can_check_who_sent_it_and_when(seen: Receiver) -> None:
    webhook(seen).tell(notice(bought()))
    stamp, _, found = seen.headers[0]["X-Surefill-Signature"].partition(",v1=")
    seconds = stamp.removeprefix("t=")
    assert int(seconds) == int(TICK.timestamp())
    expected = hmac.new(SECRET.encode(), f"{seconds}.{seen.bodies[0]}".encode(), hashlib.sha256).hexdigest()
    assert hmac.compare_digest(found, expected)
    other = hmac.new(b"another", f"{seconds}.{seen.bodies[0]}".encode(), hashlib.sha256).hexdigest()
    assert found != other


def test_the_same_event_told_twice_has_one_delivery_id(seen: Receiver) -> None:
    for row in (bought(), bought(), sold()):
        webhook(seen).tell(notice(row))
    first, again, other = (headers["X-Surefill-Delivery"] for headers in seen.headers)
    assert first == again
    assert first != other


def test_telegram_gets_the_text_and_rings_for_what_is_urgent_only(seen: Receiver) -> None:
    telegram(seen).tell(notice(sold()))
    telegram(seen).tell(notice(journal(Reason.UNPROTECTED, bid="99")))
    assert seen.paths == [f"/bot{TOKEN}/sendMessage"] * 2
    quiet, loud = seen.json(0), seen.json(1)
    assert (quiet["chat_id"], quiet["disable_notification"], loud["disable_notification"]) == ("-100", True, False)
    assert quiet["text"].splitlines() == [
        "trend BTC/USDT: sold 2 for 205 USDT, +5.7 USDT (+2.86 %)",
        "Average price: 102.5 USDT",
        "Why: exit.take_profit",
        "Open for: 1 d 12 min",
        "Account: live-binance-main",
        f"Order: {'b' * 32}",
    ]
    assert "parse_mode" not in quiet


def test_a_text_longer_than_telegram_takes_is_cut(seen: Receiver) -> None:
    telegram(seen).tell(notice(journal(Reason.SLOT_HELD, held="x" * 5_000)))
    assert len(seen.json()["text"]) == 4_096


@pytest.mark.parametrize(
    ("status", "final"), [(500, False), (503, False), (429, False), (408, False), (400, True), (401, True), (302, True)]
)
def test_a_refusal_says_whether_to_try_again_and_redirects_are_not_followed(
    seen: Receiver, status: int, final: bool
) -> None:
    seen.statuses = [status]
    for notifier in (webhook(seen), telegram(seen)):
        with pytest.raises(NotDeliveredError, match=f"127.0.0.1 answered {status}") as caught:
            notifier.tell(notice(bought()))
        assert caught.value.final is final
    assert len(seen.paths) == 2


def test_an_answer_that_does_not_come_is_given_up(seen: Receiver) -> None:
    seen.is_slow = True
    started = time.monotonic()
    with pytest.raises(NotDeliveredError, match="did not answer: ReadTimeoutError") as caught:
        webhook(seen, read_seconds=0.2).tell(notice(bought()))
    assert time.monotonic() - started < 2
    assert not caught.value.final


def test_nobody_listening_is_worth_another_try() -> None:
    with receiver() as gone:
        pass
    with pytest.raises(NotDeliveredError) as caught:
        webhook(gone).tell(notice(bought()))
    assert not caught.value.final


def test_errors_never_quote_an_address_a_token_or_a_secret(seen: Receiver) -> None:
    with receiver() as gone:
        pass
    seen.statuses = [403]
    for notifier in (webhook(seen), telegram(seen), webhook(gone), telegram(gone)):
        with pytest.raises(NotDeliveredError) as caught:
            notifier.tell(notice(bought()))
        said = f"{caught.value!r} {caught.value.__cause__!r}"
        assert not any(word in said for word in (TOKEN, SECRET, "in-the-address", "/hook"))


@pytest.mark.parametrize("url", ["http://example.com/hook", "ftp://127.0.0.1/x", "example.com", "https://"])
def test_an_address_that_is_not_https_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(ValueError, match="url of the webhook must be an https address") as caught:
        WebhookNotifier(url=url, secret=SECRET, clock=FakeClock())
    assert "example.com" not in str(caught.value)


def test_a_name_with_quotes_and_umlauts_arrives_as_it_is(seen: Receiver) -> None:
    name = 'Übung "1" <b>'
    webhook(seen).tell(notice(bought(bot_id=name)))
    telegram(seen).tell(notice(bought(bot_id=name)))
    assert json.loads(seen.bodies[0])["facts"]["bot"] == name
    assert seen.json(1)["text"].startswith(name)
