from django.apps import AppConfig


class ModerationConfig(AppConfig):
    name = "moderation"

    def ready(self) -> None:
        # Connects the receivers: `users` sends the signals and must not import this app.
        from moderation import erasure, objections  # noqa: F401
