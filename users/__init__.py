"""Second layer: app users. Registration and quota, tokens, deletion, deactivation, presence.

It imports applications, and knows no bans and no lists.
"""
