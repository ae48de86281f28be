"""The list of bans, and the dialogs that impose, change and lift them."""
