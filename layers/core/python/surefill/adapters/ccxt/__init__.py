"""Real venues through ccxt: it builds, signs and sends; what happened is read from the wire and the venue's words."""
