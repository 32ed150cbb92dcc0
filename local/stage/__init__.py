"""The local stage: a local AWS, the real deployment on it, and the simulated exchange, on this machine only."""
