"""Further data of app users: hosted profile, attributes, tags, remarks."""

from django.db import models

from applications.models import Environment
from users.fields import UserIdField
from users.models.app_users import AppUser


class Profile(models.Model):
    """A hosted profile: basic fields with known names, and extended fields that the application
    chooses.
    """

    user = models.OneToOneField(
        AppUser, on_delete=models.CASCADE, primary_key=True, related_name="profile"
    )
    basic = models.JSONField(default=dict)
    extended = models.JSONField(default=dict)
    version = models.BigIntegerField(help_text="Time of the last change, Unix milliseconds.")

    def __str__(self) -> str:
        return f"Profile of {self.user_id}"


class Attributes(models.Model):
    """Key-value pairs that clients store on the server for a user, registered or not."""

    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    owner_id = UserIdField()
    values = models.JSONField(default=dict)
    size = models.PositiveIntegerField(help_text="Bytes as JSON in UTF-8.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="users_attributes_once", fields=["environment", "owner_id"]
            ),
        ]
        verbose_name_plural = "attributes"

    def __str__(self) -> str:
        return f"Attributes of {self.owner_id}"


class UserTags(models.Model):
    """The tags of a user, registered or not; push campaigns select users by tag."""

    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    owner_id = UserIdField()
    tags = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="users_usertags_once", fields=["environment", "owner_id"]),
        ]
        verbose_name_plural = "user tags"

    def __str__(self) -> str:
        return f"Tags of {self.owner_id}"


class Remark(models.Model):
    """The name that `owner_id`'s push notifications show for `about_id`."""

    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    owner_id = UserIdField()
    about_id = UserIdField()
    text = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="users_remark_once", fields=["environment", "owner_id", "about_id"]
            ),
        ]
        indexes = [
            # To erase a deleted user: remarks about them.
            models.Index(fields=["environment", "about_id"], name="users_remarks_about"),
        ]

    def __str__(self) -> str:
        return f"{self.owner_id} calls {self.about_id} {self.text}"
