"""The door of the web process: limits that come before any application."""
