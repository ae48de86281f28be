"""Blocklists and allowlists."""
