"""Forms of the Lists page."""

from django import forms

from console.forms import UserIdField, UserIdsField


class BrowseForm(forms.Form):
    """The filters in the URL of the Lists page."""

    owner = UserIdField(label="Owner of the list", required=False)
    listed = UserIdField(label="Listed user", required=False)


class EntriesForm(forms.Form):
    user_ids = UserIdsField(
        label="Add to this list",
        help_text="User ids, one or several, separated by blanks or commas.",
    )
