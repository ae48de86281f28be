"""The form of a webhook endpoint."""

from typing import Any

from django import forms
from django.utils.html import format_html

from applications import webhooks
from applications.announcements import EVENTS


class WebhookForm(forms.Form):
    """For one format, whose events it offers."""

    url = forms.CharField(
        label="Endpoint",
        max_length=500,
        widget=forms.TextInput(attrs={"inputmode": "url", "placeholder": "https://"}),
        help_text="An address of yours that anybody on the internet can reach.",
    )
    events = forms.MultipleChoiceField(
        label="Tell it when",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one event."},
    )

    def __init__(self, *args: Any, format: str, **options: Any):
        super().__init__(*args, **options)
        offered = webhooks.formats()[format].events
        choices = [
            (event, format_html("<span>{} <code class='muted'>{}</code></span>", label, event))
            for event, label in EVENTS.items()
            if event in offered
        ]
        self.fields["events"].choices = choices  # type: ignore[attr-defined]
