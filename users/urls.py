"""Pages of this storey, under /console/<org_name>/<kind>/. The list of users and a user's page show
bans too, and so stand on the roof.
"""

from django.urls import path

from users import converters  # noqa: F401 - registers `user_id`
from users.views import (
    belongings,
    deactivated,
    deletion_jobs,
    friends,
    one_user,
    quota,
    registering,
)

urlpatterns = [
    path("users/register/", registering.user_register, name="user_register"),
    path("users/samples/", registering.samples_load, name="samples_load"),
    path("user/<user_id:user_id>/edit/", one_user.user_edit, name="user_edit"),
    path("user/<user_id:user_id>/delete/", one_user.user_delete, name="user_delete"),
    path("user/<user_id:user_id>/sign-out/", one_user.user_sign_out, name="user_sign_out"),
    path(
        "user/<user_id:user_id>/expire-tokens/",
        one_user.user_expire_tokens,
        name="user_expire_tokens",
    ),
    path("user/<user_id:user_id>/kick/", one_user.user_kick, name="user_kick"),
    path("user/<user_id:user_id>/friends/", friends.user_friends, name="user_friends"),
    path(
        "user/<user_id:user_id>/friends/<user_id:friend_id>/remove/",
        friends.friend_remove,
        name="friend_remove",
    ),
    path(
        "user/<user_id:user_id>/friends/<user_id:sender_id>/answer/",
        friends.friend_answer,
        name="friend_answer",
    ),
    path("user/<user_id:user_id>/belongings/", belongings.user_belongings, name="user_belongings"),
    path("quota/", quota.quota, name="quota"),
    path("quota/preview/", deletion_jobs.deletion_preview, name="deletion_preview"),
    path("quota/jobs/<int:job_id>/", deletion_jobs.deletion_job, name="deletion_job"),
    path(
        "quota/jobs/<int:job_id>/confirm/", deletion_jobs.deletion_confirm, name="deletion_confirm"
    ),
    path("quota/jobs/<int:job_id>/cancel/", deletion_jobs.deletion_cancel, name="deletion_cancel"),
    path("deactivated/", deactivated.deactivated_list, name="deactivated_list"),
    path(
        "deactivated/<user_id:user_id>/call/",
        deactivated.reactivation_call,
        name="reactivation_call",
    ),
]
