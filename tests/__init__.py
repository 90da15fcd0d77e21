"""The tests, by level and then by room."""
