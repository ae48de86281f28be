from django.apps import AppConfig


class ModerationConfig(AppConfig):
    name = "moderation"

    def ready(self) -> None:
        from moderation import belongings
        from users.erasure import erasing

        # == Wiring ==
        erasing.connect(belongings.erase, dispatch_uid="moderation.belongings")
