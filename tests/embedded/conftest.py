"""Fixtures for what starts servers."""

from tests.servers_dir import servers_dir

__all__ = ["servers_dir"]
