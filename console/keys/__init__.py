"""App key, app secrets, rate limits, revoking tokens."""
