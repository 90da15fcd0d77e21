"""Gateway: the one public door; it knows who calls and what became of their commands, and decides nothing itself.

owns       the public HTTP contract, the requests that became commands (their Idempotency-Keys, 24 h)
hears      portal.outcomes, and as doorbells clients.state, clients.events, onboarding.state, notifier.events
           (without a group, from the end: every replica hears everything)
says       clients.commands, onboarding.commands, notifier.commands
remembers  its requests for 7 days, as long as their outcomes are kept (E5)
"""
