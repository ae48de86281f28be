"""Blocklists and allowlists, and the answer to "may A write to B?"."""
