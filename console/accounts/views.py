"""Sign in, sign in again, sign out, passwords: django-allauth's and Django's own views with our
templates.
"""

from typing import Any

from allauth.account.views import AccountInactiveView, LoginView, ReauthenticateView
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.base.views import ReauthenticateView as ReauthenticateByCodeView
from allauth.mfa.webauthn.views import LoginWebAuthnView, ReauthenticateWebAuthnView
from django.contrib.auth import views
from django.contrib.auth.decorators import login_not_required
from django.contrib.messages.views import SuccessMessageMixin
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext_lazy

from applications import second_factors
from applications.members import invitations
from applications.requests import acting_staff
from console.accounts import providers
from console.accounts.forms import SignInForm

PLACE = "console/accounts"


class _Limited:
    """Answers a wrong password. If it came too soon, the page says when to try again."""

    request: Any

    def form_invalid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_invalid(form)  # type: ignore[misc]
        refused = getattr(self.request, "guessed_too_often", None)
        if refused is not None:
            response.status_code = 429
            response["Retry-After"] = str(refused.seconds)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        refused = getattr(self.request, "guessed_too_often", None)
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        return {
            **context,
            "try_again_at": timezone.now() + refused.wait if refused else None,
            "provider": providers.provider(self.request),
        }


class _SignIn(_Limited, LoginView):  # type: ignore[misc]
    template_name = f"{PLACE}/sign_in.html"
    form_class = SignInForm


class _SignInAgain(_Limited, ReauthenticateView):  # type: ignore[misc]
    template_name = f"{PLACE}/sign_in_again.html"


class _PasswordChange(SuccessMessageMixin, views.PasswordChangeView):  # type: ignore[type-arg]
    template_name = f"{PLACE}/password_change.html"
    success_url = reverse_lazy("mfa_index")
    success_message = gettext_lazy("Your password is changed. Other browsers are signed out.")

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        by, now = acting_staff(self.request), timezone.now()
        second_factors.password_changed(account=self.request.user, by=by, now=now)
        return super().form_valid(form)


sign_in = _SignIn.as_view()
sign_in_again = _SignInAgain.as_view()
sign_in_again_by_code = ReauthenticateByCodeView.as_view(
    template_name=f"{PLACE}/sign_in_again_by_code.html"
)
sign_in_again_by_passkey = ReauthenticateWebAuthnView.as_view(
    template_name=f"{PLACE}/sign_in_again_by_passkey.html"
)
# The second step: a code or a passkey, after the password.
second_step = AuthenticateView.as_view(template_name=f"{PLACE}/second_step.html")
sign_in_by_passkey = LoginWebAuthnView.as_view()
sign_out = views.LogoutView.as_view()
inactive = login_not_required(AccountInactiveView.as_view(template_name=f"{PLACE}/inactive.html"))
password_change = _PasswordChange.as_view()
accept_invitation = views.PasswordResetConfirmView.as_view(
    template_name=f"{PLACE}/accept_invitation.html",
    token_generator=invitations,
    success_url=reverse_lazy("overview:index"),
    post_reset_login=True,
    post_reset_login_backend="rollcall.passwords.PasswordBackend",
)
