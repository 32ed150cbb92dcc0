"""`python -m local` is `surefill`."""

from local.cli import main

main()
