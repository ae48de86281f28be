"""Deactivated users."""
