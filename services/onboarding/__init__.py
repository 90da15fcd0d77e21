"""Onboarding: how far a company is on its way to Pleo.

owns       invited companies, verification facts, timelines, what is missing, links, reminders and expiry of invitations
hears      onboarding.commands, pleo.verification
says       onboarding.events, onboarding.state, portal.clients, portal.outcomes
remembers  the position of every partition, the outcome of every command for 7 days, how many a firm invited on a day
"""
