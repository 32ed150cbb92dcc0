"""Telegram: every notice as a plain text message of a bot in a chat."""

import json

from surefill.adapters.notify.http import HttpPoster, checked_url
from surefill.domain.notices import Notice

_ORIGIN = "https://api.telegram.org"
_LONGEST = 4_096  # characters Telegram takes


class TelegramNotifier:
    """Implements Notifier with `sendMessage`. No markup: what a venue wrote is shown as it is."""

    name = "telegram"

    def __init__(self, *, token: str, chat_id: str, origin: str = _ORIGIN, poster: HttpPoster | None = None) -> None:
        self._url = f"{checked_url(origin, name='origin of Telegram')}/bot{token}/sendMessage"
        self._chat_id = chat_id
        self._poster = poster or HttpPoster()

    def tell(self, notice: Notice) -> None:
        """Send one message; an urgent one rings, the others arrive silently."""
        message = {
            "chat_id": self._chat_id,
            "text": notice.text[:_LONGEST],
            "disable_notification": not notice.urgent,
            "link_preview_options": {"is_disabled": True},
        }
        self._poster.post(self._url, body=json.dumps(message))
