"""One file per strategy. A strategy declares what it needs and returns a signal; it never touches an exchange."""

from collections.abc import Mapping

from surefill.strategies.base import Strategy
from surefill.strategies.composite import Composite

STRATEGIES: Mapping[str, type[Strategy]] = {Composite.name: Composite}
