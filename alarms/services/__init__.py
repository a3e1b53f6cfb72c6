"""Pure rules (state), how alarms reach the database (bulk), what people do with them (alarms) and others hear (events)."""
