"""Addresses of campaigns."""

from django.urls import path

from salus.campaigns.web import acts, views

app_name = "campaigns"

_ONE = "campaigns/<uuid:campaign_id>"

urlpatterns = [
    path("campaigns/", views.listing, name="list"),
    path("campaigns/new", views.new, name="new"),
    path(_ONE, views.one, name="show"),
    path(f"{_ONE}/now", views.now, name="now"),
    path(f"{_ONE}/edit", views.edit, name="edit"),
    path(f"{_ONE}/people", views.people, name="people"),
    path(f"{_ONE}/plan", acts.plan, name="plan"),
    path(f"{_ONE}/stop-planning", acts.stop_planning, name="stop_planning"),
    path(f"{_ONE}/approve", acts.approve, name="approve"),
    path(f"{_ONE}/send-back", acts.send_back, name="send_back"),
    path(f"{_ONE}/sign-off", acts.sign_off, name="sign_off"),
    path(f"{_ONE}/launch", acts.launch, name="launch"),
    path(f"{_ONE}/pause", acts.pause, name="pause"),
    path(f"{_ONE}/resume", acts.resume, name="resume"),
    path(f"{_ONE}/cancel", acts.cancel, name="cancel"),
]
