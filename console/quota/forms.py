"""Forms of the Quota page."""

from datetime import timedelta

from django import forms
from django.utils.translation import gettext, gettext_lazy

from applications.models import FREE_USER_LIMIT
from console.forms import PLAIN, SpanField
from users import identity
from users.fields import USER_ID_MAX_LENGTH


class ReclaimForm(forms.Form):
    """How many places to free, and the prefix of the ids to free them from."""

    free = forms.IntegerField(
        label=gettext_lazy("Free up"),
        min_value=1,
        max_value=FREE_USER_LIMIT,
        initial=10,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    among = forms.CharField(
        label=gettext_lazy("Ids that begin with"),
        max_length=USER_ID_MAX_LENGTH,
        required=False,
        widget=forms.TextInput(attrs=PLAIN),
    )

    def clean_among(self) -> str:
        among: str = self.cleaned_data["among"]
        if among and not identity.is_prefix(among):
            raise forms.ValidationError(
                gettext("Ids have only Latin letters, digits and + = . _ -")
            )
        return among


class LeaseRuleForm(forms.Form):
    """Which ids get a lease, and how long it lasts."""

    begins_with = forms.CharField(
        label=gettext_lazy("Ids that begin with"),
        max_length=USER_ID_MAX_LENGTH,
        widget=forms.TextInput(attrs={**PLAIN, "placeholder": "ci-"}),
        help_text=gettext_lazy(
            "Capitals matter. If several rules fit an id, the longest one applies."
        ),
    )
    lasts = SpanField(label=gettext_lazy("Delete after"), least=1, initial=timedelta(hours=2))
