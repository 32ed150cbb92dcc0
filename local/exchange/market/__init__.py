"""Where prices come from: generated, recorded or live candles, and the price path inside a candle."""
