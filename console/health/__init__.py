"""How the installation is doing, for who runs it."""
