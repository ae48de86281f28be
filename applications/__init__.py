"""Floor of the house: applications, environments, keys, plans, members and roles, audit.

Knows nothing of app users. Everything above stands on it.
"""
