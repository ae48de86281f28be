"""Where every page lives. The Server API has a plan of its own (`console.api`).

All pages of an environment lie under /console/<org_name>/<kind>/; each storey keeps its own list.
"""

from django.contrib import admin
from django.urls import include, path, register_converter

from applications.models import Environment


class KindConverter:
    """`development` or `production`: anything else is no environment, and no page."""

    regex = "|".join(Environment.Kind.values)

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(KindConverter, "kind")

urlpatterns = [
    path("admin/", admin.site.urls),
    path("console/<slug:org_name>/<kind:kind>/", include("users.urls")),
    path("console/<slug:org_name>/<kind:kind>/", include("moderation.urls")),
]
