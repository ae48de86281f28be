"""All applications of an account, and the form that creates one."""
