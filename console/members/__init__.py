"""Members of an application and their roles."""
