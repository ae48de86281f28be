"""The sample data of `make demo`: two applications with a past.

It is made through the domain's own verbs, each called with the moment at which it is to have
happened, so that ledgers and audit trail look as if people had been at work for weeks.
"""
