"""Which adapter stands for which account: the real venue for a live one, its public prices for a paper one.

The mode of an account is in its row, in its id and in every key; all of them must agree before anything is built.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from urllib.parse import urlsplit

from requests.adapters import BaseAdapter

from surefill.adapters.ccxt.binance import BINANCE
from surefill.adapters.ccxt.connection import Connection
from surefill.adapters.ccxt.market_data import CcxtMarketData
from surefill.adapters.ccxt.profile import VenueProfile
from surefill.adapters.ccxt.venue import CcxtVenue
from surefill.adapters.credentials import Credentials, Secrets
from surefill.adapters.paper.book import PaperBook
from surefill.adapters.paper.fills import PaperTerms
from surefill.adapters.paper.venue import PaperVenue
from surefill.domain.kinds import Mode
from surefill.domain.money import ZERO
from surefill.domain.orders import VenueError
from surefill.domain.reasons import Reason
from surefill.domain.rows import Account
from surefill.ports import Clock, MarketData, Store, TradeHistory, Venue
from surefill.settings import VenueHosts

PROFILES: Mapping[str, VenueProfile] = {BINANCE.name: BINANCE}


class RealVenues:
    """Implements `ports.Venues` and `ports.TradeHistories`; an account's adapter is kept while its key stays the same.

    `hosts` says per venue where it is on this stage, `secret_prefix` ("surefill/prod/") names the secrets of accounts
    that do not name their own. `transport` replaces the network (simulations); None is the real one.
    """

    def __init__(
        self,
        *,
        hosts: Mapping[str, VenueHosts],
        secrets: Secrets,
        secret_prefix: str,
        store: Store,
        clock: Clock,
        paper_terms: PaperTerms | None = None,
        profiles: Mapping[str, VenueProfile] = PROFILES,
        transport: Callable[[str], BaseAdapter] | None = None,
    ) -> None:
        self._hosts = hosts
        self._secrets = secrets
        self._secret_prefix = secret_prefix
        self._store = store
        self._clock = clock
        self._paper_terms = paper_terms or PaperTerms()
        self._profiles = profiles
        self._transport = transport
        self._public: dict[str, CcxtMarketData] = {}
        self._live: dict[str, tuple[Credentials, CcxtVenue]] = {}
        self._paper: dict[str, PaperVenue] = {}

    def market_data(self, venue: str) -> MarketData:
        """Public data of the venue. Raises VenueError (ACCOUNT_BLOCKED) when this stage does not have it."""
        if venue not in self._public:
            profile, hosts = self._known(venue)
            # Without keys there is nothing to protect, so the venue's own address needs no allow-list.
            own = urlsplit(hosts.endpoint or profile.origin).netloc
            address = VenueHosts(endpoint=hosts.endpoint, hosts=(*hosts.hosts, own))
            self._public[venue] = CcxtMarketData(connection=self._connection(profile, address, credentials=None))
        return self._public[venue]

    def of_account(self, account: Account) -> Venue:
        """The account at its venue. Raises VenueError when it must not or can't be reached."""
        _require_own_id(account)
        return self._paper_venue(account) if account.mode is Mode.PAPER else self._live_venue(account)

    def history_of(self, account: Account) -> TradeHistory:
        """The trades of a live account. Raises VenueError; ACCOUNT_BLOCKED for a paper account, which has none."""
        if account.mode is Mode.PAPER:
            raise _blocked(f"paper account {account.account_id} has no trades at {account.venue}")
        _require_own_id(account)
        return self._live_venue(account)

    def _paper_venue(self, account: Account) -> PaperVenue:
        if account.account_id not in self._paper:
            book = PaperBook(
                store=self._store,
                account_id=account.account_id,
                currency=account.currency,
                opening=_opening(account),
            )
            self._paper[account.account_id] = PaperVenue(
                book=book,
                market_data=self.market_data(account.venue),
                clock=self._clock,
                terms=self._paper_terms,
            )
        return self._paper[account.account_id]

    def _live_venue(self, account: Account) -> CcxtVenue:
        profile, hosts = self._known(account.venue)
        place = urlsplit(hosts.endpoint or profile.origin)
        if place.netloc not in hosts.hosts and place.hostname not in hosts.hosts:
            allowed = ", ".join(hosts.hosts) or "no host"
            raise _blocked(f"live account {account.account_id} needs {place.netloc}, this stage allows {allowed}")
        credentials = self._secrets.credentials(account.secret_name or f"{self._secret_prefix}{account.account_id}")
        kept = self._live.get(account.account_id)
        if kept is not None and kept[0] == credentials:
            return kept[1]
        venue = CcxtVenue(connection=self._connection(profile, hosts, credentials=credentials))
        self._live[account.account_id] = (credentials, venue)
        return venue

    def _known(self, venue: str) -> tuple[VenueProfile, VenueHosts]:
        profile, hosts = self._profiles.get(venue), self._hosts.get(venue)
        if profile is None or hosts is None:
            both = sorted(set(self._profiles) & set(self._hosts))
            raise _blocked(f"venue must be one of {', '.join(both) or 'none'} on this stage, was {venue!r}")
        return profile, hosts

    def _connection(self, profile: VenueProfile, address: VenueHosts, *, credentials: Credentials | None) -> Connection:
        return Connection(
            profile=profile,
            address=address,
            clock=self._clock,
            credentials=credentials,
            inner=self._transport(profile.name) if self._transport is not None else None,
        )


def _require_own_id(account: Account) -> None:
    if not account.account_id.startswith(f"{account.mode}-{account.venue}-"):
        raise _blocked(f"account id must start with {account.mode}-{account.venue}-, was {account.account_id!r}")


def _opening(account: Account) -> Decimal:
    return account.paper_balance if account.paper_balance is not None else ZERO


def _blocked(message: str) -> VenueError:
    return VenueError(Reason.ACCOUNT_BLOCKED, message)
