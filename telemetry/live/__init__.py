"""Live subscriptions: ThingsBoard's WebSocket (compat/websocket.md, docs/reference/websocket.md)."""
