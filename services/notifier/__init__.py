"""Notifier: tells people by mail what waits for them.

Owns: subscriptions, the schedule, the ledger of deliveries, mails, reminders as sent, pauses, defaults, suppressed addresses.
Hears: ``notifier.commands``, ``clients.state``, ``clients.events``, ``onboarding.events``, ``pleo.mail``.
Says: outcomes of its commands and of reminders, ``notifier.events``; mails to members and contacts.
Remembers: copies of clients and members, the newest version of each; what a member was last told of a client.
"""
