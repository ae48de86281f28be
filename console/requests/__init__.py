"""The calls that app servers made lately."""
