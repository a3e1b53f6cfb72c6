"""PostgreSQL and Valkey as children of the platform: where their binaries are, how they start and stop."""
