from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        # == Wiring ==
        from applications import webhooks
        from console import checks  # noqa: F401 - registers them
        from console.api.nexconn import callbacks as nexconn
        from console.api.rongcloud import callbacks as rongcloud

        webhooks.formats["rongcloud"] = rongcloud.FORMAT
        webhooks.formats["nexconn"] = nexconn.FORMAT
