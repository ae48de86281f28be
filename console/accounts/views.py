"""Sign in, sign out, passwords: Django's own views with our templates. django-axes counts failed
attempts.
"""

from typing import Any

from axes.helpers import get_client_username
from django.conf import settings
from django.contrib.auth import views
from django.contrib.messages.views import SuccessMessageMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse_lazy
from django.utils import timezone

from applications.members import invitations


class _PasswordChange(SuccessMessageMixin, views.PasswordChangeView):  # type: ignore[type-arg]
    template_name = "console/accounts/password_change.html"
    success_url = reverse_lazy("overview:index")
    success_message = "Your password is changed. Other browsers are signed out."


sign_in = views.LoginView.as_view(
    template_name="console/accounts/sign_in.html", redirect_authenticated_user=True
)
sign_out = views.LogoutView.as_view()
password_change = _PasswordChange.as_view()
set_password = views.PasswordResetConfirmView.as_view(
    template_name="console/accounts/set_password.html",
    token_generator=invitations,
    success_url=reverse_lazy("overview:index"),
    post_reset_login=True,
    post_reset_login_backend="django.contrib.auth.backends.ModelBackend",
)


def locked_out(
    request: HttpRequest, _original: HttpResponse | None, credentials: dict[str, Any] | None
) -> HttpResponse:
    """The response of django-axes. Each attempt restarts the wait, so the wait ends one cool-off
    time from now.
    """
    context = {
        "username": get_client_username(request, credentials),
        "failure_limit": settings.AXES_FAILURE_LIMIT,
        "until": timezone.now() + settings.AXES_COOLOFF_TIME,
    }
    return render(request, "console/accounts/locked_out.html", context, status=429)
