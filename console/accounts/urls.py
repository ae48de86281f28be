from django.urls import path

from console.accounts import views

app_name = "accounts"
urlpatterns = [
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("password/", views.password_change, name="password_change"),
    path("invitation/<str:uidb64>/<str:token>/", views.set_password, name="set_password"),
]
