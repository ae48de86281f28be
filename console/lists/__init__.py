"""Blocklists and allowlists, and who may write to whom."""
