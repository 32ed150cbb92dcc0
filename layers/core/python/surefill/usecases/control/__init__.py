"""What an operator may ask for: accounts, budgets, bots, positions. Checked whole before anything changes."""
