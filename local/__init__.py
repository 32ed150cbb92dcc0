"""Everything that runs on your own machine: the local AWS, the simulated exchange, replay, the command line."""
