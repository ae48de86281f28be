"""Who is online, and closing connections."""
