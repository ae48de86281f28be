"""The first page of an environment."""
