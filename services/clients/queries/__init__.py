"""Clients' door: what the gateway and the mailer ask over internal HTTP, read from the primary."""
