"""Addresses of home, of campaign reports, and of the log."""

from django.urls import path

from salus.reports.web import access, campaigns, home, log, looks

app_name = "reports"

urlpatterns = [
    path("", home.home, name="home"),
    path("reports/", campaigns.listing, name="list"),
    path("reports/campaigns/<uuid:campaign_id>/", campaigns.report, name="campaign"),
    path("reports/campaigns/<uuid:campaign_id>/who/", campaigns.who, name="who"),
    path("reports/campaigns/<uuid:campaign_id>/export/", campaigns.export, name="export"),
    path("reports/to-tell/", campaigns.to_tell, name="to_tell"),
    path("reports/sendings/<uuid:plan_id>/", campaigns.sending, name="sending"),
    path("log/", log.listing, name="log"),
    path("log/export/", log.export, name="log_export"),
    path("access/", access.review, name="access"),
    path("log/verify/", log.verify, name="verify"),
    path("log/copies/<uuid:service_id>/", log.copy, name="log_copy"),
    path("log/people/<uuid:contact_id>/", looks.listing, name="looks"),
    path("log/entries/<uuid:entry_id>/", log.entry, name="entry"),
    path("log/entries/<uuid:entry_id>/proof.json", log.proof, name="entry_proof"),
]
