"""Keys of live accounts in AWS Secrets Manager: one secret per account, {"api_key": "...", "secret": "..."}."""

import json
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from surefill.adapters.credentials import Credentials
from surefill.domain.orders import VenueError
from surefill.domain.reasons import Reason
from surefill.ports import Clock

# A key that was changed or withdrawn is known everywhere after this.
LIFETIME = timedelta(minutes=5)
# Answers that a person must act on; everything else may pass by itself.
_FINAL = frozenset({"ResourceNotFoundException", "AccessDeniedException", "InvalidRequestException"})


class ManagedSecrets:
    """Implements `credentials.Secrets`. `client` is a Secrets Manager client, made when the function starts."""

    def __init__(self, *, client: Any, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._kept: dict[str, tuple[datetime, Credentials]] = {}

    def credentials(self, secret_name: str) -> Credentials:
        """The key, at most five minutes old.

        Raises VenueError with CREDENTIALS_REJECTED when there is no usable secret, and with VENUE_DOWN when Secrets
        Manager did not answer; neither says anything of the secret's content.
        """
        now = self._clock.now()
        kept = self._kept.get(secret_name)
        if kept is not None and abs(now - kept[0]) < LIFETIME:
            return kept[1]
        credentials = _parsed(self._text(secret_name), name=secret_name)
        self._kept[secret_name] = (now, credentials)
        return credentials

    def _text(self, name: str) -> str:
        try:
            return str(self._client.get_secret_value(SecretId=name)["SecretString"])
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            reason = Reason.CREDENTIALS_REJECTED if code in _FINAL else Reason.VENUE_DOWN
            raise VenueError(reason, f"secret {name} can't be read: {code}") from None
        except KeyError:
            raise _unusable(name) from None
        except BotoCoreError as error:
            raise VenueError(Reason.VENUE_DOWN, f"secret {name} can't be read: {type(error).__name__}") from None


def _parsed(text: str, *, name: str) -> Credentials:
    fields = _fields(text)
    api_key, secret = fields.get("api_key"), fields.get("secret")
    if not (isinstance(api_key, str) and api_key and isinstance(secret, str) and secret):
        # Raised away from the parser's error, which quotes the text.
        raise _unusable(name)
    return Credentials(api_key=api_key, secret=secret)


def _fields(text: str) -> dict[str, Any]:
    try:
        fields = json.loads(text)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _unusable(name: str) -> VenueError:
    return VenueError(
        Reason.CREDENTIALS_REJECTED, f'secret {name} must be a JSON object with texts "api_key" and "secret"'
    )
