"""The local run: broker, database, mail catcher and the four services on one machine, without containers.

``python -m deploy.local up|down|reset|status|logs`` for people, ``deploy.local.run`` for tests.
"""


class LocalRunError(Exception):
    """Something the person at the keyboard can mend; its text is one sentence that says what to do."""
