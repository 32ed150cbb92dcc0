"""The routes, one file per resource."""

from surefill.api.routes import accounts, bots, budgets, explain, health, hooks, orders, panic, positions, running

ROUTERS = (
    accounts.router,
    budgets.router,
    bots.router,
    orders.router,
    explain.router,
    positions.router,
    running.router,
    panic.router,
    hooks.router,
    health.router,
)
