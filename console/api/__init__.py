"""The Server API: one folder per vendor, always the same files."""
