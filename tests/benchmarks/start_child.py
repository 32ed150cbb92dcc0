"""Run in a fresh interpreter: load one function (or the obvious stack), say how long it took and what it loaded."""

from time import perf_counter

_begun = perf_counter()

import json  # noqa: E402
import runpy  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402


def main() -> None:
    """`start_child.py FILE [build]`: run FILE as a module; with `build` also call its composition root."""
    names = runpy.run_path(sys.argv[1], run_name="handler")
    if "build" in sys.argv[2:]:
        names["build"]()
    taken = perf_counter() - _begun
    report = {
        "ms": taken * 1_000,
        "modules": len(sys.modules),
        "rss_mib": _peak_mib(),
        "names": sorted(sys.modules),
    }
    print(json.dumps(report))


def _peak_mib() -> float:
    """Highest resident memory of this process alone (getrusage would carry over the parent's)."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1_024


main()
