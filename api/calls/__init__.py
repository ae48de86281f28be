"""The calls that RongCloud and Nexconn both have, without either vendor's names.

One module per subject. A call takes its caller and plain arguments, and returns a dict or None.
A vendor's folder maps each call to a path and to the vendor's field names: see `api.tables`.
"""
