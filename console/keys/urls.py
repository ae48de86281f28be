from django.urls import path

from console.keys import views

app_name = "keys"
urlpatterns = [
    path("", views.keys, name="index"),
    path("add/", views.secret_add, name="add"),
    path("<int:secret_id>/revoke/", views.secret_revoke, name="revoke"),
    path("roll-back/", views.secret_roll_back, name="roll_back"),
    path("rates/", views.rate_limits_change, name="rates"),
    path("tokens/revoke/", views.tokens_revoke_all, name="revoke_tokens"),
]
