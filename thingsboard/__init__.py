"""An IoT platform: see README.md and docs/."""
