"""The reference of every call of the Server API."""
