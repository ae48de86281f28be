"""Where every page lives. The Server API has a plan of its own (`api`).

All pages of an environment lie under /console/<org_name>/<kind>/; each storey keeps its own list.
"""

from django.conf import settings as project
from django.contrib import admin
from django.urls import include, path, register_converter
from django.views.generic import RedirectView

from applications.models import Environment
from console.views import (
    accounts,
    api_docs,
    audit,
    connections,
    environment,
    health,
    keys,
    members,
    overview,
    people,
    settings,
    try_it,
    webhooks,
)


class KindConverter:
    """`development` or `production`: anything else is no environment, and no page."""

    regex = "|".join(Environment.Kind.values)

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(KindConverter, "kind")

handler403 = "console.views.errors.forbidden"

of_environment = [
    path("", environment.environment, name="environment"),
    path("users/", people.user_list, name="user_list"),
    path("user/<str:user_id>/", people.user_detail, name="user_detail"),
    path("connections/", connections.connection_list, name="connection_list"),
    path(
        "connections/<int:connection_id>/kick/", connections.connection_kick, name="connection_kick"
    ),
    path("try-it/", try_it.try_it, name="try_it"),
    path("try-it/token/", try_it.try_it_token, name="try_it_token"),
    path("keys/", keys.keys, name="keys"),
    path("keys/add/", keys.secret_add, name="secret_add"),
    path("keys/<int:secret_id>/revoke/", keys.secret_revoke, name="secret_revoke"),
    path("keys/rates/", keys.rate_limits_change, name="rate_limits_change"),
    path("keys/tokens/revoke/", keys.tokens_revoke_all, name="tokens_revoke_all"),
    path("members/", members.member_list, name="member_list"),
    path("members/add/", members.member_add, name="member_add"),
    path("members/<int:member_id>/change/", members.member_change, name="member_change"),
    path("members/<int:member_id>/remove/", members.member_remove, name="member_remove"),
    path("members/<int:member_id>/invite/", members.member_invite, name="member_invite"),
    path("audit/", audit.audit_log, name="audit_log"),
    path("audit.csv", audit.audit_export, name="audit_export"),
    path("settings/", settings.settings, name="settings"),
    path("settings/change/", settings.settings_change, name="settings_change"),
    path("settings/doors/", settings.doors_change, name="doors_change"),
    path("settings/deletion/unlock/", settings.deletion_unlock, name="deletion_unlock"),
    path("settings/deletion/lock/", settings.deletion_lock, name="deletion_lock"),
    path("settings/rename/", settings.application_rename, name="application_rename"),
]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="overview"), name="root"),
    path("console/", overview.overview, name="overview"),
    path("console/new/", overview.application_create, name="application_create"),
    path("console/sign-in/", accounts.sign_in, name="sign-in"),
    path("console/sign-out/", accounts.sign_out, name="sign-out"),
    path("console/password/", accounts.password_change, name="password-change"),
    path(
        "console/invitation/<str:uidb64>/<str:token>/", accounts.set_password, name="set-password"
    ),
    path("console/api/<slug:vendor>/", api_docs.api_docs, name="api_docs"),
    path("console/api/<slug:vendor>/openapi.json", api_docs.api_document, name="api_document"),
    path("console/<slug:org_name>/<kind:kind>/", include(of_environment)),
    path("console/<slug:org_name>/<kind:kind>/", include(webhooks.of_environment)),
    path("console/<slug:org_name>/<kind:kind>/", include("users.urls")),
    path("console/<slug:org_name>/<kind:kind>/", include("moderation.urls")),
    path("admin/", admin.site.urls),
    path("favicon.ico", health.favicon, name="favicon"),
]

if project.DEBUG:
    from console.gallery import gallery

    urlpatterns.append(path("console/gallery/", gallery, name="gallery"))
