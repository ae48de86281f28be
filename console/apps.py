from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        from console.accounts import signals  # noqa: F401 - connects them
        from console.transfers import sources  # noqa: F401 - registers what can be exported
