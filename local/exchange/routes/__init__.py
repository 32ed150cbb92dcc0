"""The endpoints, grouped as in Binance's documentation."""
