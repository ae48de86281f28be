"""Two chat clients side by side, in development."""
