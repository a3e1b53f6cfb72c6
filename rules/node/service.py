"""What the platform calls itself where ThingsBoard has the id of one of its servers: all workers are one service here."""

from typing import Final

SERVICE_ID: Final = "thingsboard"
