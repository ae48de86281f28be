"""Settings of an environment and its application."""
