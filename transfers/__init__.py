"""Lists of users, bans and others go out and come in as files: exports and imports, each a job.

An import changes nothing by itself: it calls the verbs of `users` and `moderation`.
"""
