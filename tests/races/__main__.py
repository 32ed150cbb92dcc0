"""`python -m tests.races [--rounds 200] [--clients 32] [--seed 1] [--only "one slot"]`."""

import sys

from tests.races.run import main

if __name__ == "__main__":
    sys.exit(main())
