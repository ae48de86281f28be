"""The Server API: app servers talk to it with the SDKs of the vendors that they already have.

One folder per vendor. Vendor words stop there; each call is one call into the domain. What is
decided where a vendor's manual is silent stands in the folder's docstring.

What a further vendor costs
---------------------------
A folder beside the others, which knows none of them:

* `auth`: who calls (`vendor.Caller`), and how often they may (`ratelimit.Limits`).
* `wire`: bodies, the envelope of a success, and one table from every exception of the domain to
  the vendor's error. `codes`, `bodies` and `signature` are there to be shared.
* `schemas`: the vendor's words and bounds, from which the OpenAPI document is made as well.
* The calls: a Ninja router per subject (`users`, `moderation`, `friends`, ...), thin.
* `__init__`: the decisions, and the one `vendor.Vendor` that all of it ends in, with what the
  document cannot know by itself (`vendor.Documented`).

And a line in `settings.API_VENDORS`. New applications have the door open, older ones open it in
their settings. The document, its page in the console, the log, the settings page with the vendor's
own settings, the switch that closes the door, the words that no application can have for its name,
and the tests that walk over all vendors (`test_codes`, `test_documents`) then know it. To be
written for it: its calls' own tests, and a narrator for `test_one_story`.
"""
