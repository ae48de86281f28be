"""Every component on one page, with made-up data. The page exists only if DEBUG is on."""

from datetime import timedelta
from types import SimpleNamespace

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from applications.counting import Count


class _SampleForm(forms.Form):
    duration = forms.ChoiceField(
        choices=[("1h", "1 h"), ("24h", "24 h"), ("7d", "7 days"), ("", "Permanent")],
        widget=forms.RadioSelect,
        initial="24h",
    )
    user_id = forms.CharField(help_text="At most 64 characters.")
    reason = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))
    role = forms.ChoiceField(choices=[("viewer", "Viewer"), ("moderator", "Moderator")])
    kick = forms.BooleanField(required=False, label="Close the user's connections now")

    def clean(self) -> None:
        raise forms.ValidationError("This user is deactivated and cannot be changed.")


def gallery(request: HttpRequest) -> HttpResponse:
    now, estimated = timezone.now(), Count(1_234_567, exact=False)
    kind = "production" if request.GET.get("kind") == "production" else "development"
    environment = SimpleNamespace(
        kind=kind,
        application=SimpleNamespace(name="Acme Chat", org_name="acme"),
    )
    if "message" in request.GET:
        messages.success(request, "Mia Chen is no longer banned.")
    registrations = [3, 5, 0, 2, 8, 4, 1, 0, 0, 6, 7, 3, 2, 9, 12, 4, 3, 5, 1, 0, 2, 6, 4, 3, 5, 8]
    return render(
        request,
        "console/gallery.html",
        {
            "environment": environment,
            "estimated": estimated,
            "noun": "users",
            "quotas": [
                (42, 100, None),
                (87, 100, timedelta(days=6)),
                (97, 100, timedelta(hours=20)),
                (100, 100, None),
                (estimated, None, None),
            ],
            "registrations": [
                (now.date() - timedelta(days=len(registrations) - 1 - day), count)
                for day, count in enumerate(registrations)
            ],
            "week": [4, 6, 3, 8, 12, 7, 9],
            "moments": {
                "now": now,
                "minutes_ago": now - timedelta(minutes=3),
                "days_ago": now - timedelta(days=4),
                "long_ago": now - timedelta(days=90),
                "soon": now + timedelta(hours=2, minutes=10),
                "very_soon": now + timedelta(seconds=75),
                "later": now + timedelta(days=3),
            },
            "rows": [
                ("mia_chen", "Mia Chen", "online", 3),
                ("jon.okafor", "Jon Okafor", "banned", 26),
                ("b2f7c9d1-5a60-4e0e-9c3d-77f01e5f9a42-android-tester", "", "never_connected", 70),
                ("sato", "Sato Yui", "active", 300),
                ("old-account", "", "deactivated", 4_000),
                ("stranger_17", "", "not_registered", 9_000),
            ],
            "filters": [
                {"label": "State", "value": "Banned", "url": "?"},
                {"label": "Id begins with", "value": "test_", "url": "?"},
            ],
            "pages": SimpleNamespace(previous="p", next="n"),
            "results": [
                ("deleted", 38, "success"),
                ("already gone", 3, ""),
                ("failed", 1, "error"),
            ],
            "form": _SampleForm(),
            "wrong_form": _SampleForm({"duration": "", "user_id": ""}, prefix="wrong"),
            "needs": "Needs the moderator role",
        },
    )
