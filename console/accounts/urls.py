"""Pages of an account. django-allauth finds them by these names."""

from django.urls import path

from console.accounts import account, providers, views

urlpatterns = [
    path("sign-in/", views.sign_in, name="account_login"),
    path("sign-in/second-step/", views.second_step, name="mfa_authenticate"),
    path("sign-in/passkey/", views.sign_in_by_passkey, name="mfa_login_webauthn"),
    path("sign-in/inactive/", views.inactive, name="account_inactive"),
    path("sign-in/<str:provider_id>/", providers.sign_in, name="openid_connect_login"),
    path("sign-in/<str:provider_id>/back/", providers.come_back, name="openid_connect_callback"),
    path("sign-in-again/", views.sign_in_again, name="account_reauthenticate"),
    path("sign-in-again/code/", views.sign_in_again_by_code, name="mfa_reauthenticate"),
    path(
        "sign-in-again/passkey/",
        views.sign_in_again_by_passkey,
        name="mfa_reauthenticate_webauthn",
    ),
    path("sign-out/", views.sign_out, name="account_logout"),
    path("invitation/<str:uidb64>/<str:token>/", views.accept_invitation, name="accept_invitation"),
    path("account/", account.account, name="mfa_index"),
    path("password/", views.password_change, name="account_change_password"),
    path("account/app/add/", account.app_add, name="mfa_activate_totp"),
    path("account/app/remove/", account.app_remove, name="mfa_deactivate_totp"),
    path("account/passkeys/add/", account.passkey_add, name="mfa_add_webauthn"),
    path("account/passkeys/<int:pk>/", account.passkey_edit, name="mfa_edit_webauthn"),
    path("account/passkeys/<int:pk>/remove/", account.passkey_remove, name="mfa_remove_webauthn"),
    path("account/codes/", account.codes, name="mfa_view_recovery_codes"),
    path("account/codes/renew/", account.codes_renew, name="mfa_generate_recovery_codes"),
    path("account/codes/file/", account.codes_download, name="mfa_download_recovery_codes"),
    path("account/sessions/end/", account.session_end, name="session_end"),
    path("account/sessions/end-others/", account.sessions_end_others, name="sessions_end_others"),
    path("account/provider/", providers.connections, name="socialaccount_connections"),
    path("account/provider/disconnect/", providers.disconnect, name="provider_disconnect"),
]
