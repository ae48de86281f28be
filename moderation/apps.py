from django.apps import AppConfig


class ModerationConfig(AppConfig):
    name = "moderation"

    def ready(self) -> None:
        # Connects the receiver: `users` sends the signal and must not import this app.
        from moderation import erasure  # noqa: F401
