"""The direct engine: the money rules of the protocol on plain positions, without building its transactions.

One buy opens a position, one sale closes all of it, and every order fills whole. Whatever is more than that runs on the
protocol engine, which gives the same trades, balances and decisions to the last digit.
"""
