"""RPC call request."""

import secrets
from collections.abc import Sequence
from typing import Any, Final

from rules.node import FAILURE, SUCCESS, Category, Config, Context, Emit, Msg, Node, Outcome, Wait
from rules.node.later import DeviceCall
from rules.node.template import java_text
from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.errors import PlatformError
from thingsboard.kernel.ids import EntityType, new_id, parse_uuid

TIMEOUT, NO_ACTIVE_CONNECTION = "TIMEOUT", "NO_ACTIVE_CONNECTION"

LATEST_MS: Final = 4_102_444_800_000  # the year 2100, as for time stamps
_INT: Final = 2**31


class RpcCallRequestConfig(Config, frozen=True):
    """For how many seconds to wait for the device's answer, where the message does not say it."""

    NEW = {"timeoutInSeconds": 60}

    timeout_in_seconds: int = 0


class RpcCallRequest(Node):
    """Calls a device, and lets the message go on with its answer.

    The originator is a device, the body `{"method": ..., "params": ...}`, with `requestId` and `additionalInfo` if wanted. The
    metadata may say `oneway`, `persistent`, `requestUUID`, `expirationTime` (milliseconds) and `retries`.

    The message waits until the device answers; nothing else is held up by it. Success: the body is the answer, an empty object
    for a one-way call that was sent. Failure: the body is `{"error": ...}` with TIMEOUT, or NO_ACTIVE_CONNECTION where the
    device was not connected. A persistent call is kept for the device, and the message goes on at once with `{"rpcId": ...}`;
    what becomes of the call is told by messages of their own (RPC_QUEUED, RPC_SENT, ...).
    """

    TYPE = "org.thingsboard.rule.engine.rpc.TbSendRPCRequestNode"
    NAME = "rpc call request"
    CATEGORY = Category.ACTION
    CONFIG = RpcCallRequestConfig
    CONFIG_DIRECTIVE = "tbActionNodeRpcRequestConfig"
    ICON = "call_made"

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """Whether devices are connected is asked once for all."""
        connected = ctx.later.connected({msg.originator for msg in messages})
        outcomes: list[Outcome] = []
        for msg in messages:
            try:
                outcomes.append(self._called(ctx, msg, msg.originator in connected))
            except (ValueError, PlatformError) as error:
                outcomes.append(Emit.failure(msg, str(error)))
        return outcomes

    def _called(self, ctx: Context, msg: Msg, connected: bool) -> Outcome:
        request = self._request(ctx, msg)
        if request.persistent or request.expires > ctx.now():
            ctx.later.call(request)
        if request.persistent:
            return Emit(SUCCESS, msg.with_data({"rpcId": str(request.id)}))
        error = TIMEOUT if connected else NO_ACTIVE_CONNECTION
        waiting = msg.with_data({"error": error}, metadata={**msg.metadata, "error": error})
        return Wait(waiting, max(request.expires, 1), FAILURE, request.id)

    def _request(self, ctx: Context, msg: Msg) -> DeviceCall:
        """What the message wants. Raises ValueError with ThingsBoard's sentences."""
        body, metadata = msg.data.members, msg.metadata
        if msg.originator.type is not EntityType.DEVICE:
            raise ValueError("Message originator is not a device entity!")
        for name, sentence in (("method", "Method is"), ("params", "Params are")):
            if name not in body:
                raise ValueError(f"{sentence} not present in the message!")
        method = body["method"]
        if not isinstance(method, str) or not method:
            raise ValueError("The method is not a text.")
        said, info = metadata.get("requestUUID"), body.get("additionalInfo")
        number = body.get("requestId")
        timeout = ctx.now() + self.config.timeout_in_seconds * 1000
        return DeviceCall(
            parse_uuid(said) if said else new_id(),
            msg.originator,
            secrets.randbits(32) - _INT if number is None else _number("requestId", number, -_INT, _INT - 1),
            method,
            _text(body["params"]),
            _number("expirationTime", metadata.get("expirationTime") or timeout, 0, LATEST_MS),
            oneway=metadata.get("oneway", "").lower() == "true",
            persistent=metadata.get("persistent", "").lower() == "true",
            retries=_number("retries", metadata["retries"], 0, _INT - 1) if metadata.get("retries") else None,
            additional_info=None if info is None else _text(info),
        )


def _text(value: Any) -> str:
    """A single value as text, what is structured as JSON."""
    text = java_text(value) if value is not None else "null"
    return json_bytes(value).decode() if text is None else text


def _number(name: str, value: Any, low: int, high: int) -> int:
    try:
        number = int(value)
    except (ValueError, TypeError, OverflowError):
        number = low - 1
    if not low <= number <= high:
        raise ValueError(f"{name} is {str(value)[:40]!r}; expected a whole number from {low} to {high}.")
    return number
