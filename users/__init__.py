"""Second storey: app users. Registration and quota, tokens, deletion, deactivation, presence.

Knows applications; knows nothing of bans or lists.
"""
