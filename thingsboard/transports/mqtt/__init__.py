"""MQTT: amqtt behind our own front (architecture.md 6)."""
