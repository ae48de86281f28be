from django.apps import AppConfig


class ModerationConfig(AppConfig):
    name = "moderation"

    def ready(self) -> None:
        # Listens from then on: users, which announces who goes, must not import it.
        from moderation import erasure  # noqa: F401
