"""The form of a webhook endpoint."""

from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.translation import gettext_lazy

from applications import webhooks
from applications.announcements import EVENTS
from console.templatetags.words import said


class WebhookForm(forms.Form):
    """The form for one format. It offers the events of that format."""

    url = forms.CharField(
        label=gettext_lazy("Endpoint"),
        max_length=500,
        widget=forms.TextInput(attrs={"inputmode": "url", "placeholder": "https://"}),
        help_text=gettext_lazy("An https URL of yours that is reachable from the internet."),
    )
    events = forms.MultipleChoiceField(
        label=gettext_lazy("Events to send"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one event.")},
    )

    def __init__(self, *args: Any, format: str, **options: Any):
        super().__init__(*args, **options)
        offered = webhooks.formats()[format].events
        choices = [
            (
                event,
                format_html("<span>{} <code class='muted'>{}</code></span>", said(label), event),
            )
            for event, label in EVENTS.items()
            if event in offered
        ]
        self.fields["events"].choices = choices  # type: ignore[attr-defined]
