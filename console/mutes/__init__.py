"""The list of mutes, and how staff impose and lift them."""
