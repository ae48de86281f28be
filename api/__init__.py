"""The Server API: app servers talk to it with the SDKs of the vendors that they already have.

Each vendor has one folder, and its words stay inside that folder. Each call makes one call into
the domain. Where a vendor's manual is silent, the folder's docstring lists our decisions.

A vendor's folder does not import another vendor's. All folders have the same files:

* `__init__`: the decisions, and the folder's `vendor.Vendor`.
* `auth`: the caller (`vendor.Caller`) and the rate limits (`ratelimit.Limits`).
* `wire`: request bodies, the envelope of a success, one table from every domain exception to the
  vendor's error, and what Ninja cannot add to the OpenAPI document (`vendor.Documented`). If that
  is long, it has its own module `documented`.
* `schemas`: the vendor's field names and bounds. The document is generated from them too.
* The calls, one thin module per subject: `users`, `moderation`, and if the vendor has such calls
  `tokens`, `friends`, `profiles`, `push`, `presence`.
* `callbacks`: the format of the vendor's webhooks, if it has any.

Shared by all vendors: `doors` (which vendor owns a path), `vendor` (what a folder provides),
`ratelimit`, `documents`, `offset_paging`. Shared by RongCloud and Nexconn: `signature`, `codes`,
`bodies`, `fields`, `callbacks`, `calls` (what each call does) and `tables` (the path and the
schemas of each call).

CONTRIBUTING lists the files that a new vendor touches. A line in `settings.API_VENDORS` registers
it everywhere else: the document and its console page, the log, the settings page with the vendor's
own settings, the switch that closes the door, the reserved application names, and the tests that
run for every vendor. The door is open in new applications; older ones open it in their settings.
"""
