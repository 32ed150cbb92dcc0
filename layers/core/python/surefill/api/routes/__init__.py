"""The routes, one file per resource."""

from surefill.api.routes import accounts, bots, budgets, health, hooks, orders, panic, positions, running

ROUTERS = (
    accounts.router,
    budgets.router,
    bots.router,
    orders.router,
    positions.router,
    running.router,
    panic.router,
    hooks.router,
    health.router,
)
