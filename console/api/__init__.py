"""The Server API: app servers talk to it with the SDKs of the vendors that they already have.

One folder per vendor, always the same files: `auth` (who calls, how often), `wire` (envelope,
bodies, error table), `schemas` (the vendor's words and bounds), and the calls themselves, each
one call into the domain. Vendor words stop there. What is decided where a vendor's manual is
silent stands in the folder's docstring.

A further vendor is a further folder whose `__init__` ends in a `Vendor`, one place in
`doors.VENDORS`, its word in `applications.models.Door`, and its first path segments in
`applications.environments.RESERVED_ORG_NAMES` if it has fixed ones.
"""
