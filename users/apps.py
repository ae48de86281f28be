from django.apps import AppConfig


class UsersConfig(AppConfig):
    name = "users"

    def ready(self) -> None:
        from users import belongings
        from users.erasure import erasing

        # == Wiring ==
        erasing.connect(belongings.erase, dispatch_uid="users.belongings")
