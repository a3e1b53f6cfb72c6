"""What every app stands on. A thing is admitted here when three apps use it and it holds no domain noun."""
