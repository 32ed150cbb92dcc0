"""`python -m local.exchange`."""

from __future__ import annotations

from local.exchange.command_line import main

raise SystemExit(main())
