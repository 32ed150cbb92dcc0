"""Paper accounts: orders filled against a venue's live prices, with balances in the store. No network code."""
