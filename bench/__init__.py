"""How fast it is, beside how fast its database alone would be. See `make bench`."""
