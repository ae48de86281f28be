"""Who is connected, and the buttons that close connections."""
