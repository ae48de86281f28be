"""The form that mutes users."""

from django import forms
from django.utils.translation import gettext_lazy

from console.bans.forms import EndForm
from console.forms import UserIdsField
from console.templatetags.words import said_lazily
from moderation.models import Mute


class MuteForm(EndForm):
    user_ids = UserIdsField(
        label=gettext_lazy("User ids"),
        help_text=gettext_lazy(
            "One or several, separated by blanks or commas. They need not be registered."
        ),
    )
    channels = forms.MultipleChoiceField(
        label=gettext_lazy("Where"),
        choices=[(value, said_lazily(label)) for value, label in Mute.Channel.choices],
        initial=[Mute.Channel.DIRECT],
        widget=forms.CheckboxSelectMultiple,
    )
    field_order = ["user_ids", "channels", "until", "custom"]
