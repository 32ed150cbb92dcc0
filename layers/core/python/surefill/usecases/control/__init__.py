"""What an operator may ask for: accounts, budgets, bots, positions. A request is checked whole before it changes anything."""
