"""The statement that admits and the plain form of its law tell the same story."""

from datetime import timedelta

import pytest
from django.db.models import Sum

from applications.models import FREE_USER_LIMIT, AuditEvent, Environment, Plan
from tests.factories import DAY, NOON, make_deactivated, make_environment, make_users
from tests.generated import given, st
from tests.users import plain_admission
from users import admission
from users.admission import Newcomer, UserDeactivated
from users.models import AppUser, DeactivatedUser, RegistrationTally
from users.quota import QuotaExceeded

pytestmark = pytest.mark.django_db

IDS = ["ada", "Ada", "bob", "cy", "dot", "eve"]
texts = st.sampled_from([None, "", "A", "B"])
newcomers = st.builds(
    Newcomer,
    user_id=st.sampled_from(IDS),
    registered_at=st.sampled_from([NOON, NOON - timedelta(hours=13), NOON - 40 * DAY]),
    name=texts,
    avatar_url=texts,
    password=st.sampled_from(["", "hashed"]),
    last_seen_at=st.sampled_from([None, NOON]),
    uuid=st.none(),
)
asking = st.tuples(
    st.just("admit"),
    st.lists(newcomers, max_size=len(IDS), unique_by=lambda each: each.user_id),
    st.booleans(),
    st.booleans(),
)
steps = st.one_of(
    asking,
    asking,
    st.tuples(st.just("deactivate"), st.sampled_from(IDS)),
    st.tuples(st.just("enable"), st.sampled_from(IDS)),
    st.tuples(st.just("delete"), st.sampled_from(IDS)),
    st.tuples(st.just("plan"), st.sampled_from([Plan.TRIAL, Plan.PRO])),
)


class World:
    """An environment in which one of the two forms admits."""

    def __init__(self, admit, *, held, plan):
        self.admit = admit
        self.environment = make_environment(kind="production", plan=plan)
        make_users(environment=self.environment, count=held, prefix="held-")

    def take(self, step):
        """What the step answers."""
        word, *values = step
        if word == "admit":
            return self._admit(*values)
        if word == "plan":
            self.environment.plan = values[0]
            self.environment.save()
            return None
        of_id = {"environment": self.environment, "user_id": values[0]}
        if word == "enable":
            DeactivatedUser.objects.filter(**of_id).delete()
        else:
            AppUser.objects.filter(**of_id).delete()
        if word == "deactivate" and not DeactivatedUser.objects.filter(**of_id).exists():
            make_deactivated(**of_id)
        return None

    def _admit(self, users, renew, leave_out):
        try:
            admitted = self.admit(
                environment=self.environment,
                newcomers=users,
                now=NOON,
                renew=renew,
                leave_out_deactivated=leave_out,
            )
        except UserDeactivated as refusal:
            return "deactivated", refusal.user_ids
        except QuotaExceeded as refusal:
            return "full", refusal.used, refusal.limit, str(refusal)
        lives = {**admitted.new, **admitted.known}
        of_lives = AppUser.objects.filter(pk__in=lives.values()).values_list("user_id", "pk")
        assert dict(of_lives) == lives
        return "admitted", set(admitted.new), set(admitted.known)

    def told(self):
        """Every table, but for the keys."""
        own = {"environment": self.environment}
        fields = [
            each.attname
            for each in AppUser._meta.concrete_fields
            if each.name not in {"id", "uuid", "environment"}
        ]
        return (
            list(AppUser.objects.filter(**own).order_by("user_id").values(*fields)),
            list(
                RegistrationTally.objects.filter(**own)
                .values_list("day")
                .annotate(total=Sum("count"))
                .order_by("day")
            ),
            list(
                AuditEvent.objects.filter(**own)
                .order_by("pk")
                .values_list("type", "subject", "actor", "via", "at", "before", "after")
            ),
        )


@given(
    held=st.sampled_from([0, FREE_USER_LIMIT - 7, FREE_USER_LIMIT - 2, FREE_USER_LIMIT + 1]),
    plan=st.sampled_from([Plan.TRIAL, Plan.PRO]),
    story=st.lists(steps, min_size=1, max_size=8),
)
def test_both_forms_tell_the_same_story(held, plan, story):
    swift = World(admission.admit, held=held, plan=plan)
    plain = World(plain_admission.admit, held=held, plan=plan)
    for step in story:
        assert swift.take(step) == plain.take(step), step
        assert swift.told() == plain.told(), step


def test_nobody_asks_for_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert admission.admit(
            environment=Environment(), newcomers=[], now=NOON
        ) == admission.Admitted({}, {})
