"""Health."""

from typing import Any

from surefill.api.services import new_router, services_of

router = new_router()


@router.get("/health")
def health() -> dict[str, Any]:
    """Whether everything that trades runs; for a page that is looked at often."""
    told = services_of(router).health.detailed()
    return {"ok": told["ok"], "problems": told["problems"]}


@router.get("/health/detailed")
def detailed_health() -> dict[str, Any]:
    """Tables, queue, schedules with their lag, accounts, venues with their clocks, whether keys can be read, stops."""
    return services_of(router).health.detailed()
