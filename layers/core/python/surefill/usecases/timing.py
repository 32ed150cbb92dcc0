"""How long an order may take: the times that claim, place, settle and reconcile share."""

from datetime import timedelta

# An order not sent within this time of its claim is never sent (the fence, research: absolute deadline).
ORDER_LIFETIME = timedelta(seconds=30)
# How long the venue accepts the signed request (Binance: recvWindow, at most 60 000 ms).
WINDOW = timedelta(seconds=5)
# The workflow settles within this time; afterwards `reconcile` looks as well.
FIRST_CHECK = timedelta(seconds=45)
# A grid's order waits this long for its price; then it is cancelled and made anew.
RESTING = timedelta(days=7)
