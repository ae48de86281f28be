"""Rollcall's own protocol: JSON objects in text frames. docs/gateway.md describes it for client
authors.
"""
