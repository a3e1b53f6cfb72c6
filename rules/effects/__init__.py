"""Does the work outside of the database that messages wait for (docs/reference/rule-engine.md, "Work outside")."""
