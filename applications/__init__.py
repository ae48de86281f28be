"""The lowest layer: applications, environments, keys, plans, members and roles, audit, webhooks.

It does not know app users. All other layers import it.
"""
