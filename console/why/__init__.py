"""Why? One page for a user, two users, an access token, an app key, a request or a delivery."""
