"""Sign in, sign out, passwords."""
