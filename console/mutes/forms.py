"""The form that mutes users."""

from django import forms

from console.bans.forms import EndForm
from console.forms import UserIdsField
from moderation.models import Mute


class MuteForm(EndForm):
    user_ids = UserIdsField(
        label="User ids",
        help_text="One or several, separated by blanks or commas. They need not be registered.",
    )
    channels = forms.MultipleChoiceField(
        label="Where",
        choices=Mute.Channel.choices,
        initial=[Mute.Channel.DIRECT],
        widget=forms.CheckboxSelectMultiple,
    )
    field_order = ["user_ids", "channels", "until", "custom"]
