"""Addresses of delivery."""

from django.urls import path

from salus.delivery.web import tracking

app_name = "delivery"

urlpatterns = [
    path("t/o/<str:token>.gif", tracking.picture, name="opened"),
    path("t/c/<str:token>/<slug:link>", tracking.link, name="clicked"),
]
