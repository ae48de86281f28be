"""Third storey: bans, blocklists, allowlists, and the gates that ask them.

Knows users and applications; knows nothing of pages or wire protocols.
"""
