"""Points, series, attributes."""
