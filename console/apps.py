from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        # == Wiring ==
        from console import checks  # noqa: F401 - registers them
