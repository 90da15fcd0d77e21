"""Clients: who works for whom.

owns       firms and members, clients of a firm, invitations, assignments, access grants, figures, the rows behind the tabs
hears      clients.commands, pleo.partners, pleo.companies, pleo.receipts, pleo.expenses, pleo.balances,
           onboarding.events, onboarding.state
says       clients.events, clients.state, portal.clients, portal.outcomes
remembers  the position of every partition, the outcome of every command for 7 days
"""
