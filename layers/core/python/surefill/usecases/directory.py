"""Accounts as the order path needs them: which venue, which mode, which secret. None of that ever changes."""

from dataclasses import dataclass, field

from surefill.domain.rows import Account, Intent
from surefill.ports import Store


@dataclass(frozen=True, slots=True)
class AccountDirectory:
    """Reads each account once per process. Its state (blocked, out of sync) is never taken from here."""

    store: Store
    _known: dict[str, Account] = field(default_factory=dict)

    def of(self, intent: Intent) -> Account:
        """The account of an intent; it exists, because nothing deletes accounts."""
        known = self._known.get(intent.account_id)
        if known is None:
            known = self.store.get(Account, intent.account_id)
            if known is None:
                raise AssertionError(
                    f"account {intent.account_id} of intent {intent.intent_id} must exist, was missing"
                )
            self._known[intent.account_id] = known
        return known
