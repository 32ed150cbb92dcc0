"""Imported first by every function: no garbage collection while modules load, and none of what was loaded afterwards.

Collecting while hundreds of modules load finds nothing and costs up to a third of the start (`make imports` shows it).
"""

import gc
import warnings

gc.disable()
# requests misses its guess of encodings, which is left out of the layer: ccxt says what an answer is written in.
warnings.filterwarnings("ignore", message="Unable to find acceptable character detection")


def finish() -> None:
    """Everything is loaded: leave it out of future collections and collect normally from here on."""
    gc.freeze()
    gc.enable()
