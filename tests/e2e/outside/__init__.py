"""A platform that knows a node of the tests: named as an app by `tests.e2e.outside.settings`."""
