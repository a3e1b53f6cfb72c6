"""What the rest of the platform asks of rules, and the writes of chains and queues: one module for each noun."""
