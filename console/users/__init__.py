"""The list of users, and the page of one user."""
