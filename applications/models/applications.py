"""Applications, their environments and app secrets."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Q

from applications.fields import CiphertextField, IdentifierField

# Maximum number of registered users in development, and in production on the trial plan. The page,
# the API's error and the documentation read this constant.
FREE_USER_LIMIT = 100


class Application(models.Model):
    """One customer's app."""

    name = models.CharField(max_length=80)
    # Identifies the application in URLs.
    org_name = models.SlugField(max_length=40, unique=True)
    created_at = models.DateTimeField()
    # Names of the vendors whose calls are accepted.
    vendors = models.JSONField(default=list)
    second_factor_required = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Members enter only after they have set up a second factor.",
    )

    def __str__(self) -> str:
        return self.name


class Plan(models.TextChoices):
    TRIAL = "trial"
    STARTER = "starter"
    PRO = "pro"


# Plan → how many app users may be registered at once. Other plans have no limit.
USER_LIMITS: dict[str, int] = {Plan.TRIAL: FREE_USER_LIMIT}


class Environment(models.Model):
    """Development or production of an application. It owns all data of users."""

    class Kind(models.TextChoices):
        DEVELOPMENT = "development"
        PRODUCTION = "production"

    application = models.ForeignKey(
        Application, on_delete=models.CASCADE, related_name="environments", db_index=False
    )
    kind = models.CharField(max_length=11, choices=Kind)
    # 32 lower-case hex digits, valid as every vendor's own id of an app.
    app_key = IdentifierField(max_length=32, unique=True)
    plan = models.CharField(max_length=7, choices=Plan, default=Plan.TRIAL)
    created_at = models.DateTimeField()
    token_lifetime = models.DurationField(
        null=True, blank=True, help_text="How long new access tokens live. Empty: no end."
    )
    reactivation_cooling_off = models.DurationField(
        default=timedelta(0), help_text="How long a deactivated id must wait for reactivation."
    )
    tokens_valid_from = models.DateTimeField(
        null=True, blank=True, help_text="Access tokens issued before this moment are invalid."
    )

    friends_only = models.BooleanField(
        default=False, help_text="Only friends may send each other direct messages."
    )
    ids_ignore_case = models.BooleanField(
        default=False,
        help_text="User ids that differ only in upper and lower case are one id: a second spelling "
        "cannot register.",
    )
    # --- How long it keeps what it has recorded (`applications.retention`); empty: without end ---
    keep_audit = models.DurationField(
        null=True, blank=True, default=timedelta(days=730), db_default=timedelta(days=730)
    )
    keep_bans = models.DurationField(
        null=True, blank=True, default=timedelta(days=730), db_default=timedelta(days=730)
    )
    keep_tombstones = models.DurationField(null=True, blank=True)
    keep_deliveries = models.DurationField(
        default=timedelta(days=30), db_default=timedelta(days=30)
    )
    keep_requests = models.DurationField(default=timedelta(days=1), db_default=timedelta(days=1))
    # --- Server API ---
    # Vendor → its settings that differ from the defaults; see `applications.vendors`.
    vendor_settings = models.JSONField(default=dict, blank=True)
    deletion_unlocked_until = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Production: until then the API may delete users.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="applications_environment_one_of_each_kind", fields=["application", "kind"]
            ),
            models.CheckConstraint(
                name="applications_environment_known_kind",
                condition=Q(kind__in=["development", "production"]),
            ),
            models.CheckConstraint(
                name="applications_environment_development_has_no_plan",
                condition=Q(kind="production") | Q(plan="trial"),
            ),
            models.CheckConstraint(
                name="applications_environment_cooling_off_not_negative",
                condition=Q(reactivation_cooling_off__gte=timedelta(0)),
            ),
        ]
        indexes = [
            # Whether any environment ignores case: read by each registration
            # (users_refuse_another_case).
            models.Index(
                fields=["id"],
                name="environments_ignoring_case",
                condition=Q(ids_ignore_case=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.application.name} · {self.kind}"

    @property
    def is_development(self) -> bool:
        return self.kind == self.Kind.DEVELOPMENT

    @property
    def full_name(self) -> str:
        """A unique name, which staff type to confirm what cannot be undone."""
        return f"{self.application.org_name}/{self.kind}"

    @property
    def user_limit(self) -> int | None:
        """How many app users may be registered at once; None: no limit."""
        return USER_LIMITS.get(self.plan)


class AppSecretQuerySet(models.QuerySet["AppSecret"]):
    def live(self) -> Self:
        """Secrets that nobody has revoked. Some may have ended; see `AppSecret.is_accepted`."""
        return self.filter(revoked_at=None)

    def accepted(self, now: datetime) -> Self:
        """Secrets that are accepted; one or two for an environment."""
        return self.live().filter(Q(ends_at=None) | Q(ends_at__gt=now))

    def for_app_key(self, app_key: str) -> Self:
        """The live secrets of the environment with this app key, each with its environment."""
        return self._live_with_environment().filter(environment__app_key=app_key)

    def for_name(self, org_name: str, kind: str) -> Self:
        """The same, by the org name of the application and the kind of the environment."""
        return self._live_with_environment().filter(
            environment__application__org_name=org_name, environment__kind=kind
        )

    def _live_with_environment(self) -> Self:
        return self.live().select_related("environment__application").order_by("pk")


class AppSecret(models.Model):
    """A key that signs API calls. Signatures are computed with it, so it cannot be hashed: it is
    encrypted with a key from outside the database, and shown once.
    """

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="secrets")
    ciphertext = CiphertextField(editable=False)
    hint = models.CharField(max_length=4, help_text="Its last four characters.")
    name = models.CharField(max_length=60, blank=True, default="", db_default="")
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_via = models.CharField(max_length=80, blank=True, default="", db_default="")
    last_used_address = models.GenericIPAddressField(null=True, blank=True)
    ends_at = models.DateTimeField(
        null=True, blank=True, help_text="From then on it is refused. Empty: it has no end."
    )
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = AppSecretQuerySet.as_manager()

    def __str__(self) -> str:
        return f"…{self.hint}"

    def is_accepted(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.ends_at is None or self.ends_at > now)
