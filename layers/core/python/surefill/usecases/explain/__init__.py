"""Why a bot does what it does, or nothing: the way of a trade walked link by link, from stored rows alone."""

from surefill.usecases.explain.explainer import Explainer
from surefill.usecases.explain.model import Explanation, Link, LinkName, LinkState, Story
from surefill.usecases.explain.readiness import Readiness
from surefill.usecases.explain.telling import told

__all__ = ["Explainer", "Explanation", "Link", "LinkName", "LinkState", "Readiness", "Story", "told"]
