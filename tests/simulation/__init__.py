"""Years of the notifier in seconds, against a calendar of its own."""
