"""Hears of credentials that were changed, for every transport that remembers whose tokens they are.

The bus may lose such news, so what is remembered must also grow old by itself (TB_TOKEN_CACHE_SECONDS).
"""

import uuid
from collections.abc import Callable
from typing import Any

from devices.services.credentials import CREDENTIALS_CHANGED
from thingsboard.kernel.bus import Subscriber


async def listen(changed: Callable[[uuid.UUID, bytes], None], missed: Callable[[], None]) -> None:
    """Until cancelled: `changed(device id, lookup)` for a token that is no longer valid, `missed()` when news were lost."""

    def heard(_channel: str, payload: dict[str, Any]) -> None:
        changed(uuid.UUID(payload["deviceId"]), bytes.fromhex(payload["lookup"]))

    await Subscriber([CREDENTIALS_CHANGED], heard, missed).run()
