"""Our own API of tenants, their profiles and customers."""
