"""URLs of all pages. Those of an environment are under <org_name>/<kind>/."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

from console import converters  # noqa: F401 - registers `kind` and `user_id`
from console.search.views import search_everywhere, shortcuts

environment_patterns = [
    path("", include("console.environment.urls")),
    path("", include("console.users.urls")),
    path("", include("console.why.urls")),
    path("", include("console.search.urls")),
    path("connections/", include("console.connections.urls")),
    path("quota/", include("console.quota.urls")),
    path("bans/", include("console.bans.urls")),
    path("mutes/", include("console.mutes.urls")),
    path("deactivated/", include("console.deactivated.urls")),
    path("lists/", include("console.lists.urls")),
    path("try-it/", include("console.try_it.urls")),
    path("keys/", include("console.keys.urls")),
    path("requests/", include("console.requests.urls")),
    path("webhooks/", include("console.webhooks.urls")),
    path("members/", include("console.members.urls")),
    path("", include("console.audit.urls")),
    path("transfers/", include("console.transfers.urls")),
    path("settings/", include("console.settings.urls")),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("console.overview.urls")),
    path("", include("console.accounts.urls")),
    path("api/", include("console.api_docs.urls")),
    path("health/", include("console.health.urls")),
    path("search/", search_everywhere, name="search_everywhere"),
    path("keyboard/", shortcuts, name="shortcuts"),
    # The language is chosen on the sign-in page, too. A cookie keeps it.
    path("language/", login_not_required(set_language), name="set_language"),
    path("<slug:org_name>/<kind:kind>/", include(environment_patterns)),
]

if settings.DEBUG:
    from console.gallery import gallery

    urlpatterns.append(path("gallery/", gallery, name="gallery"))
