"""Addresses of journeys."""

from django.urls import path

from salus.journeys.web import acts, editor, gallery, people, views

app_name = "journeys"

_ONE = "journeys/<uuid:journey_id>"
_VERSION = "journeys/versions/<uuid:version_id>"

urlpatterns = [
    path("journeys/", views.listing, name="list"),
    path("journeys/new", views.new, name="new"),
    path("journeys/ready", gallery.gallery, name="gallery"),
    path("journeys/ready/<slug:key>", gallery.add, name="add"),
    path(_ONE, views.show, name="show"),
    path(f"{_ONE}/list", views.steps, name="steps"),
    path(f"{_ONE}/canvas", editor.page, name="edit"),
    path(f"{_ONE}/versions", views.versions, name="versions"),
    path(f"{_ONE}/who", people.who, name="who"),
    path(f"{_ONE}/enrol", people.enrol, name="enrol"),
    path(f"{_ONE}/diary/<uuid:enrolment_id>", people.diary, name="diary"),
    path(f"{_ONE}/pause", acts.pause, name="pause"),
    path(f"{_ONE}/resume", acts.resume, name="resume"),
    path(f"{_ONE}/close", acts.close, name="close"),
    path(f"{_ONE}/stop", acts.stop, name="stop"),
    path(f"{_VERSION}/canvas/draft", editor.draft, name="canvas_draft"),
    path(f"{_VERSION}/canvas/vocabulary", editor.vocabulary_of, name="canvas_vocabulary"),
    path(f"{_VERSION}/canvas/check", editor.check, name="canvas_check"),
    path(f"{_VERSION}/canvas/save", editor.save, name="canvas_save"),
    path(f"{_VERSION}/canvas/hand-in", editor.hand_in, name="canvas_hand_in"),
    path(f"{_VERSION}/canvas/simulate", editor.simulate, name="canvas_simulate"),
    path(f"{_VERSION}/submit", acts.submit, name="submit"),
    path(f"{_VERSION}/take-back", acts.take_back, name="take_back"),
    path(f"{_VERSION}/approve", acts.approve, name="approve"),
    path(f"{_VERSION}/send-back", acts.send_back, name="send_back"),
    path(f"{_VERSION}/start", acts.start, name="start"),
    path(f"{_VERSION}/redraw", acts.redraw, name="redraw"),
    path(f"{_VERSION}/copy", acts.copy, name="copy"),
    path(f"{_VERSION}/differences/<uuid:other_id>", views.differences, name="differences"),
    path(f"{_VERSION}/move/<uuid:other_id>", acts.move, name="move"),
]
