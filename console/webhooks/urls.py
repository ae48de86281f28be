from django.urls import include, path

from console.webhooks import views

app_name = "webhooks"
of_webhook = [
    path("", views.webhook_detail, name="detail"),
    path("change/", views.webhook_change, name="change"),
    path("remove/", views.webhook_remove, name="remove"),
    path("enable/", views.webhook_enable, name="enable"),
    path("disable/", views.webhook_disable, name="disable"),
    path("rotate/", views.webhook_rotate, name="rotate"),
    path("retire/", views.webhook_retire_secret, name="retire_secret"),
    path("test/", views.webhook_test, name="test"),
    path("deliveries/<int:delivery_id>/replay/", views.delivery_replay, name="replay"),
]
urlpatterns = [
    path("", views.webhook_list, name="index"),
    path("add/", views.webhook_add, name="add"),
    path("<int:webhook_id>/", include(of_webhook)),
]
