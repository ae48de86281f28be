from django.urls import include, path

from console.webhooks import actions, views

app_name = "webhooks"
of_webhook = [
    path("", views.webhook_detail, name="detail"),
    path("change/", views.webhook_change, name="change"),
    path("remove/", actions.webhook_remove, name="remove"),
    path("enable/", actions.webhook_enable, name="enable"),
    path("disable/", actions.webhook_disable, name="disable"),
    path("rotate/", actions.webhook_rotate, name="rotate"),
    path("retire/", actions.webhook_retire_secret, name="retire_secret"),
    path("test/", actions.webhook_test, name="test"),
    path("deliveries/<int:delivery_id>/replay/", actions.delivery_replay, name="replay"),
]
urlpatterns = [
    path("", views.webhook_list, name="index"),
    path("add/", views.webhook_add, name="add"),
    path("<int:webhook_id>/", include(of_webhook)),
]
