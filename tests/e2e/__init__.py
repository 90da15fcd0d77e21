"""The system as `make up` starts it, driven from outside by the public contract alone."""
