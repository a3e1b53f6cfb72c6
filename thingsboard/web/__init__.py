"""The web process' door: Daphne, with a bound on everything that a stranger may send before any application runs."""
