"""The time-series store: packing (rows), the statements of a batch (batch), connections, and upkeep (maintenance)."""
