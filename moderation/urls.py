"""The pages of this storey, under /console/<org_name>/<kind>/."""

from django.urls import path

import users.converters  # noqa: F401 - registers <user_id:…>
from moderation.views import ban_dialogs, bans, lifts, lists, may_message, of_user

urlpatterns = [
    path("bans/", bans.ban_list, name="ban_list"),
    path("bans/impose/", ban_dialogs.ban_impose, name="ban_impose"),
    path("bans/change/", ban_dialogs.ban_change_several, name="ban_change_several"),
    path("bans/<int:ban_id>/change/", ban_dialogs.ban_change, name="ban_change"),
    path("bans/preview/", ban_dialogs.ban_preview, name="ban_preview"),
    path("bans/lift/", lifts.ban_lift, name="ban_lift"),
    path("bans/undo-lift/", lifts.ban_undo_lift, name="ban_undo_lift"),
    path("lists/", lists.list_browse, name="list_browse"),
    path("lists/add/", lists.list_add, name="list_add"),
    path("lists/remove/", lists.list_remove, name="list_remove"),
    path("lists/switch/", lists.allowlist_switch, name="allowlist_switch"),
    path("lists/may-message/", may_message.may_message, name="may_message"),
    path("user/<user_id:user_id>/moderation/", of_user.user_moderation, name="user_moderation"),
]
