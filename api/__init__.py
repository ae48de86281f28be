"""The Server API: app servers talk to it with the SDKs of the vendors that they already have.

One folder per vendor. Vendor words stop there; each call is one call into the domain. What is
decided where a vendor's manual is silent stands in the folder's docstring.

A vendor's folder knows none of the others, and has the same files as they have:

* `__init__`: the decisions, and the one `vendor.Vendor` that all of it ends in.
* `auth`: who calls (`vendor.Caller`), and how often they may (`ratelimit.Limits`).
* `wire`: bodies, the envelope of a success, one table from every exception of the domain to the
  vendor's error, and what the OpenAPI document cannot know by itself (`vendor.Documented`); where
  that is much, in a module `documented` of its own.
* `schemas`: the vendor's words and bounds, from which the document is made as well.
* The calls by subject, thin: `users`, `moderation`, and where the vendor has such calls `tokens`,
  `friends`, `profiles`, `push`, `presence`.
* `callbacks`: the format of its webhooks, where it has one.

Shared, in nobody's words: `doors` (which vendor owns a path), `vendor` (what a folder gives),
`ratelimit`, `documents`, `numbered`; and for RongCloud and its cousins `signature`, `codes`,
`bodies`, `fields`, `callbacks`, `calls` (what each call does) and `tables` (where it lies, and in
which words).

CONTRIBUTING lists the files that a further vendor touches; with its line in `settings.API_VENDORS`
all else knows it. New applications have the door open, older ones open it in their settings. The
document, its page in the console, the log, the settings page with the vendor's own settings, the
switch that closes the door, the words that no application can have for its name, and the tests
that walk over all vendors then know it.
"""
