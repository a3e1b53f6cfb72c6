"""Pages that the server renders for people who are not signed in."""
