from django.apps import AppConfig


class RollcallConfig(AppConfig):
    name = "rollcall"

    def ready(self) -> None:
        # == Wiring ==
        from api.nexconn import callbacks as nexconn
        from api.rongcloud import callbacks as rongcloud
        from applications import webhooks
        from rollcall import checks  # noqa: F401 - registers them

        webhooks.formats["rongcloud"] = rongcloud.FORMAT
        webhooks.formats["nexconn"] = nexconn.FORMAT
