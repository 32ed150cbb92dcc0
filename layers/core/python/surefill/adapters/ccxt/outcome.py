"""What a post did: accepted, refused, never sent, already there, or unknown. Unknown is the rule, the rest needs proof.

"No exception" is not "accepted" (an empty page parses to an order without id), and "ExchangeError" is not "rejected"
(ccxt raises it for gateway timeouts): both are decided here from what left, what came back, and the native code.
"""

from surefill.adapters.ccxt.failures import coded, is_decided, matching, told
from surefill.adapters.ccxt.profile import VenueProfile
from surefill.adapters.ccxt.redaction import Redactor
from surefill.adapters.ccxt.transport import Answer, WireLog
from surefill.domain.orders import (
    Accepted,
    AlreadyExists,
    NotSent,
    OrderRequest,
    PostOutcome,
    Rejected,
    UnknownOutcome,
)


def judge(
    *,
    log: WireLog,
    said: object,
    failure: BaseException | None,
    request: OrderRequest,
    profile: VenueProfile,
    redactor: Redactor,
) -> PostOutcome:
    """The outcome of one post; `said` is the venue's raw answer, `failure` what ccxt raised."""
    if not log.left:
        return NotSent(message=redactor.describe(failure))
    answer = log.answer
    if answer is None:
        return UnknownOutcome(message=redactor.describe(failure))
    words = told(answer, profile=profile, redactor=redactor)
    if failure is not None:
        return _refusal(answer, words=words, profile=profile, redactor=redactor) or UnknownOutcome(
            message=f"{words}; {redactor.describe(failure)}"
        )
    try:
        order = profile.dialect.read_order(said, symbol=request.symbol)
    except Exception as error:  # whatever is wrong with the answer: the order was sent
        return UnknownOutcome(message=f"{words}: {redactor.describe(error)}")
    if order.client_order_id != request.client_order_id or order.side is not request.side:
        return UnknownOutcome(
            message=f"{profile.name} must answer with {request.client_order_id}, {request.side},"
            f" was {redactor.clean(order.client_order_id)}, {order.side}"
        )
    return Accepted(order=order)


def _refusal(
    answer: Answer, *, words: str, profile: VenueProfile, redactor: Redactor
) -> Rejected | AlreadyExists | None:
    native = coded(answer, profile=profile)
    if native is None or not is_decided(answer):
        return None
    code, message = native
    if matching(profile.duplicates, code=code, message=message) is not None:
        return AlreadyExists(code=code, message=words)
    rule = matching(profile.rejects, code=code, message=message)
    return Rejected(reason=rule.reason, code=code, message=redactor.clean(message)) if rule is not None else None
