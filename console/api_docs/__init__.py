"""The reference of all calls of the Server API."""
