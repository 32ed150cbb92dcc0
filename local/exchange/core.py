"""The simulated exchange without a transport.

Given the same seed or recording, the same clock readings and the same sequence of requests, it gives the same
replies and ends in the same state. It keeps three promises that tests rely on: the sum over all holders of an asset
is zero at all times, an order goes only the ways of its status table, and resting orders fill at the same second
however often the exchange is asked.

A transport calls `admit` when a request arrives, waits `Admission.delay_ms` if a fault says so, then calls
`complete` and delivers the reply as it says. `handle` does both without waiting.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from heapq import heappop, heappush
from threading import RLock
from typing import TYPE_CHECKING, Any

from local.exchange import effects, errors
from local.exchange.errors import BinanceError
from local.exchange.faults import Fault, FaultKind, Target, milliseconds
from local.exchange.market.live import LiveMarketUnavailableError
from local.exchange.messages import Request, Response, json_response
from local.exchange.parameters import Parameters
from local.exchange.routes.admin import answer_admin, dump_state
from local.exchange.routes.table import ROUTES, Security
from local.exchange.security import ApiKey, check_signed, rejected_key
from local.exchange.state import Call, ExchangeState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.exchange.clock import ExchangeClock

ADMIN_PREFIX = "/admin/"


@dataclass(frozen=True, slots=True)
class Admission:
    """A request that has arrived, with the faults that hit it; `delay_ms` passes before it is processed."""

    request: Request
    parameters: Parameters
    target: Target
    problem: BinanceError | None = None
    faults: Mapping[FaultKind, Fault] = field(default_factory=dict)
    delay_ms: int = 0


class Exchange:
    """The exchange. Safe to use from several threads: one lock around every step."""

    def __init__(self, state: ExchangeState) -> None:
        self.state = state
        self._lock = RLock()
        self._deferred: list[tuple[int, int, Admission]] = []
        self._arrivals = 0
        self._advance()

    @property
    def clock(self) -> ExchangeClock:
        """The exchange's clock."""
        return self.state.clock

    def handle(self, request: Request) -> Response:
        """Process a request at once; delays that a fault asks for are only reported, not waited."""
        return self.complete(self.admit(request))

    def admit(self, request: Request) -> Admission:
        """Take a request in: decide which faults hit it and count it if it arrives at all."""
        with self._lock:
            now_ms = self._advance()
            problem: BinanceError | None = None
            if request.path.startswith(ADMIN_PREFIX):
                return Admission(request, Parameters({}), Target(request.method, request.path))
            try:
                parameters = Parameters.of(request)
            except BinanceError as error:
                parameters, problem = Parameters({}), error
            target = self._target(request, parameters)
            faults = self.state.faults.take(target, now_ms=now_ms)
            if not effects.never_arrives(faults):
                self._count(target)
            delay = faults.get(FaultKind.DELAY)
            delay_ms = milliseconds(delay.options["before_seconds"]) if delay else 0
            return Admission(request, parameters, target, problem, faults, delay_ms)

    def complete(self, admission: Admission) -> Response:
        """Process an admitted request now."""
        with self._lock:
            self._advance()
            return self._complete(admission)

    def defer(self, admission: Admission) -> None:
        """Process an admitted request once its delay has passed on the exchange's clock; its reply is lost."""
        with self._lock:
            self._arrivals += 1
            heappush(self._deferred, (self.state.now_ms + admission.delay_ms, self._arrivals, admission))

    def snapshot(self) -> dict[str, Any]:
        """The complete state as the admin endpoint shows it."""
        with self._lock:
            self._advance()
            return dump_state(self.state)

    def state_hash(self) -> str:
        """SHA-256 of the complete state; equal for equal runs."""
        text = json.dumps(self.snapshot(), sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def _advance(self) -> int:
        """Let the market and late requests catch up with the clock."""
        now_ms = self.state.clock.now_ms()
        if now_ms < self.state.now_ms and self.state.engine.orders:
            now_ms = self.state.now_ms  # a clock that steps back must not undo fills
        while self._deferred and self._deferred[0][0] <= now_ms:
            due_ms, _, admission = heappop(self._deferred)
            self.state.move_to(max(due_ms, self.state.now_ms))
            self._complete(admission)
        self.state.move_to(now_ms)
        return now_ms

    def _complete(self, admission: Admission) -> Response:
        if admission.request.path.startswith(ADMIN_PREFIX):
            return answer_admin(self.state, admission.request)
        code: int | None = None
        response = effects.unprocessed_reply(admission.faults)
        if response is None:
            try:
                response = self._process(admission)
            except BinanceError as error:
                code = error.code
                content = {"code": error.code, "msg": error.message}
                response = json_response(content, status=error.status, headers=error.headers)
        response = effects.spoil(response, admission.faults)
        self._log(admission, response, code)
        return response

    def _process(self, admission: Admission) -> Response:
        """Check and answer one request. Raises BinanceError."""
        state, request, faults = self.state, admission.request, admission.faults
        now_ms = state.now_ms
        effects.refuse_if_down(faults, path=request.path, now_ms=now_ms)
        route = ROUTES.get((request.method, request.path))
        used = state.limits.spend(route.weight if route else 1, now_ms=now_ms)
        if route is None:
            raise errors.not_served(method=request.method, path=request.path)
        if admission.problem is not None:
            raise admission.problem
        stale = faults.get(FaultKind.STALE_PRICES)
        call = Call(
            state=state,
            parameters=admission.parameters,
            now_ms=now_ms,
            as_of_ms=stale.created_ms if stale and route.market_data else now_ms,
            faults=dict(faults),
            headers={"x-mbx-used-weight": str(used), "x-mbx-used-weight-1m": str(used)},
        )
        if route.security is not Security.NONE:
            key = self._signed_by(admission, trading=route.security is Security.TRADE)
            call.account = state.ledger.accounts[key.account]
        effects.reject_if_told(faults)
        try:
            content = route.answer(call)
        except LiveMarketUnavailableError as problem:
            raise errors.internal_error() from problem
        admission.parameters.finish()
        return json_response(content, headers=call.headers)

    def _signed_by(self, admission: Admission, *, trading: bool) -> ApiKey:
        key = self.state.keys.check_key(admission.request, trading=trading)
        if FaultKind.REVOKE_KEY in admission.faults:
            raise rejected_key()
        check_signed(admission.request, admission.parameters, key, now_ms=self.state.now_ms)
        return key

    def _target(self, request: Request, parameters: Parameters) -> Target:
        key = self.state.keys.find(request)
        symbol = parameters.peek("symbol")
        client_id = parameters.peek("newClientOrderId") if request.method == "POST" else None
        return Target(
            method=request.method,
            path=request.path,
            symbol=symbol,
            account=key.account if key else None,
            api_key=key.key if key else None,
            client_order_id=client_id or parameters.peek("origClientOrderId"),
        )

    def _count(self, target: Target) -> None:
        self.state.endpoint_counts[f"{target.method} {target.path}"] += 1
        if target.method == "POST" and target.path == "/api/v3/order":
            self.state.order_posts[target.client_order_id or ""] += 1

    def _log(self, admission: Admission, response: Response, code: int | None) -> None:
        target = admission.target
        self.state.requests.append(
            {
                "at_ms": self.state.now_ms,
                "method": target.method,
                "path": target.path,
                "account": target.account,
                "symbol": target.symbol,
                "client_order_id": target.client_order_id,
                "status": response.status,
                "code": code,
                "delivery": response.delivery.value,
                "faults": [kind.value for kind in admission.faults],
            }
        )
