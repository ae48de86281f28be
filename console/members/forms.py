"""Forms of the Members page."""

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import UsernameField
from django.utils.translation import gettext_lazy

from applications.models import Role
from console.templatetags.words import said_lazily

ROLES = [(value, said_lazily(label)) for value, label in Role.choices]


class NewMemberForm(forms.Form):
    username = UsernameField(
        label=gettext_lazy("Username"),
        max_length=150,
        validators=[get_user_model().username_validator],
    )
    role = forms.ChoiceField(choices=ROLES, initial=Role.VIEWER)


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=ROLES)
