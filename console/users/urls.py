from django.urls import include, path

from console.users import (
    actions,
    bulk,
    friends,
    leases,
    moderation,
    personal_data,
    register,
    views,
)

app_name = "users"
# Actions on one user, and the fragments of the user's page that load themselves.
user_patterns = [
    path("edit/", actions.user_edit, name="edit"),
    path("delete/", actions.user_delete, name="delete"),
    path("sign-out/", actions.user_sign_out, name="sign_out"),
    path("expire-tokens/", actions.user_expire_tokens, name="expire_tokens"),
    path("kick/", actions.user_kick, name="kick"),
    path("lease/", leases.user_lease, name="lease"),
    path("pin/", leases.user_pin, name="pin"),
    path("unpin/", leases.user_unpin, name="unpin"),
    path("friends/", friends.user_friends, name="friends"),
    path("friends/permission/", friends.friend_permission, name="friend_permission"),
    path("friends/add/", friends.friend_add, name="add_friend"),
    path("friends/<user_id:friend_id>/remove/", friends.friend_remove, name="remove_friend"),
    path("friends/<user_id:sender_id>/answer/", friends.friend_answer, name="answer_friend"),
    path("personal-data/", personal_data.personal_data, name="personal_data"),
    path("moderation/", moderation.user_moderation, name="moderation"),
]
urlpatterns = [
    path("users/", views.user_list, name="index"),
    path("users/register/", register.user_register, name="register"),
    path("users/kick/", bulk.users_kick, name="kick_several"),
    path("users/samples/", register.samples_load, name="load_samples"),
    path("user/<str:user_id>/", views.user_detail, name="detail"),
    path("user/<user_id:user_id>/", include(user_patterns)),
]
