"""The pages of this storey: bans, the dialogs that change them, lists, and a user's share of both.

They translate: text into arguments, one call into the domain, its answer or exception into a page.
"""
