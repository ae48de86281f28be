"""Forms of the Lists page."""

from django import forms
from django.utils.translation import gettext_lazy

from console.forms import UserIdField, UserIdsField


class BrowseForm(forms.Form):
    """The filters in the URL of the Lists page."""

    owner = UserIdField(label=gettext_lazy("Owner of the list"), required=False)
    listed = UserIdField(label=gettext_lazy("Listed user"), required=False)


class EntriesForm(forms.Form):
    user_ids = UserIdsField(
        label=gettext_lazy("Add to this list"),
        help_text=gettext_lazy("User ids, one or several, separated by blanks or commas."),
    )
