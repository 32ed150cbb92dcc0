"""Webhook: every notice as a signed POST of JSON to an address of the operator."""

import hashlib
import hmac
from datetime import datetime

from surefill.adapters.notify.body import json_body
from surefill.adapters.notify.http import HttpPoster, checked_url
from surefill.domain.notices import Notice
from surefill.ports import Clock

SIGNATURE_HEADER = "X-Surefill-Signature"
EVENT_HEADER = "X-Surefill-Event"
DELIVERY_HEADER = "X-Surefill-Delivery"


class WebhookNotifier:
    """Implements Notifier. The receiver checks the signature with the shared secret and drops keys it has seen."""

    name = "webhook"

    def __init__(self, *, url: str, secret: str, clock: Clock, poster: HttpPoster | None = None) -> None:
        self._url = checked_url(url, name="url of the webhook")
        self._secret = secret
        self._clock = clock
        self._poster = poster or HttpPoster()

    def tell(self, notice: Notice) -> None:
        """Post one notice."""
        body = json_body(notice)
        headers = {
            SIGNATURE_HEADER: signature(body, secret=self._secret, at=self._clock.now()),
            EVENT_HEADER: str(notice.kind),
            DELIVERY_HEADER: hashlib.sha256(notice.key.encode()).hexdigest()[:32],
        }
        self._poster.post(self._url, body=body, headers=headers)


def signature(body: str, *, secret: str, at: datetime) -> str:
    """`t=<seconds>,v1=<hex>`: HMAC-SHA256 of "<seconds>.<body>". The time lets a receiver refuse old copies."""
    seconds = int(at.timestamp())
    digest = hmac.new(secret.encode(), f"{seconds}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"
