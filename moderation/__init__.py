"""Third layer: bans, mutes, blocklists, allowlists, and the gates that read them.

It imports users and applications, and knows no pages and no wire protocols.
"""
