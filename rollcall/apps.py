from django.apps import AppConfig


class RollcallConfig(AppConfig):
    name = "rollcall"

    def ready(self) -> None:
        from rollcall import checks  # noqa: F401 - registers them
