"""Addresses for staff who help a patient sign in."""

from django.urls import path

from salus.patients.web import views

app_name = "patients"

urlpatterns = [
    path("patients/code", views.find, name="code"),
    path("patients/code/issue", views.issue, name="issue"),
]
