"""What may be said about a request in an error text or a log: never a key, a signature or a signed address.

ccxt's network errors read "id method url", and the address of a signed look holds the signature, so every text that
leaves this package goes through `Redactor`.
"""

import re
from collections.abc import Iterable

_LONGEST = 300
# A venue may answer with megabytes: only the beginning is cleaned and shown.
_READ = 4_000
_HIDDEN = "***"
_QUERY = re.compile(r"(https?://[^\s?'\"]+|/[\w./-]+)\?[^\s'\"]+")
_NAMED = re.compile(
    r"(?i)\b(signature|timestamp|api[-_ ]?key|x-mbx-apikey|secret|authorization)\b"
    r"(['\"]?\s*[=:]\s*['\"]?)[^\s&'\",}]+"
)
_HEX = re.compile(r"\b[0-9a-fA-F]{64,}\b")


class Redactor:
    """Cleans texts of the given secrets and of everything that looks like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = sorted((secret for secret in secrets if secret), key=len, reverse=True)

    def clean(self, text: object) -> str:
        """One line of at most 300 characters without secrets, signatures and query strings."""
        cleaned = str(text)
        for secret in self._secrets:
            cleaned = cleaned.replace(secret, _HIDDEN)
        cleaned = " ".join(cleaned[:_READ].split())
        cleaned = _QUERY.sub(rf"\1?{_HIDDEN}", cleaned)
        cleaned = _NAMED.sub(rf"\1\2{_HIDDEN}", cleaned)
        return _HEX.sub(_HIDDEN, cleaned)[:_LONGEST]

    def describe(self, error: BaseException | None) -> str:
        """An error and what caused it, cleaned."""
        parts: list[str] = []
        while error is not None and len(parts) < 3:
            parts.append(f"{type(error).__name__}: {error}")
            error = error.__cause__
        return self.clean(" <- ".join(parts)) if parts else "no error"
