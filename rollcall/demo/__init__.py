"""The sample data of `make demo`: two applications with a history.

The verbs of the domain create it, each called with a time in the past, so that ledgers and audit
trail look like weeks of work.
"""
