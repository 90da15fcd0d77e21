"""The four services of the partner portal."""
