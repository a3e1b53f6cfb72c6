"""Rule chains, nodes, the engine."""
