"""Who holds the places of the quota, and deletion jobs that free some."""
