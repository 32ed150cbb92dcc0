"""The control API from the outside: where a stage's API is, and signed requests to it."""
