"""`python -m tests.proof [--only model,races] [--soak HOURS]`."""

import sys

from tests.proof.run import main

if __name__ == "__main__":
    sys.exit(main())
