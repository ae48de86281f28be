"""Import and export: files of users, bans, lists and the audit trail."""
