"""What the platform calls itself in attributes that ThingsBoard names by the id of one of its servers. Here all workers are one
service, on whatever machines they run: the name of one would forget what is known when it moves.
"""

from typing import Final

SERVICE_ID: Final = "thingsboard"
