"""Who is asking: tokens of users."""
