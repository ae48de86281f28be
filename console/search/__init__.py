"""Search on every page: users, pages, applications, acts, and whatever "Why?" can read."""
