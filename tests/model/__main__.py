"""`python -m tests.model [--soak]`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "layers" / "core" / "python"))

if __name__ == "__main__":
    from tests.model.run import main

    sys.exit(main(sys.argv[1:]))
