"""The audit trail, and its sentences."""
