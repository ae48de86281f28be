"""All applications of an account, and making a new one."""
