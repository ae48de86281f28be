from django.urls import path

from console.api_docs import views

app_name = "api_docs"
urlpatterns = [
    path("<slug:vendor>/", views.api_docs, name="index"),
    path("<slug:vendor>/openapi.json", views.api_document, name="document"),
]
