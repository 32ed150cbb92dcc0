"""One file per strategy. A strategy declares what it needs and returns a signal; it never touches an exchange."""

from surefill.strategies.loading import Catalogue

STRATEGIES = Catalogue()
