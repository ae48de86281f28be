from django.apps import AppConfig


class RollcallConfig(AppConfig):
    name = "rollcall"

    def ready(self) -> None:
        from rollcall import checks, installation, traced_tasks  # noqa: F401 - register themselves
