"""A simulated exchange that speaks Binance spot REST, for the unmodified ccxt `binance` client.

`build_exchange` makes one, `serve` puts it behind HTTP, `ExchangeAdapter` puts it under a `requests` session
without sockets. See `core` for what it promises.
"""
