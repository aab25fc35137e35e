"""Addresses of delivery: receipts and settings for staff, and what counts opens and clicks."""

from django.urls import path

from salus.delivery.web import cap, portal, receipts, route, standby, stopped, tracking

app_name = "delivery"

urlpatterns = [
    path("messages/<uuid:message_id>/receipt/", receipts.receipt, name="receipt"),
    path("messages/<uuid:message_id>/receipt/proof.json", receipts.proof, name="proof"),
    path("messages/<uuid:message_id>/recall/", receipts.recall, name="recall"),
    path("stopped-addresses/", stopped.listed, name="stopped"),
    path("stopped-addresses/<uuid:entry_id>/", stopped.lift, name="lift"),
    path("settings/how-often/", cap.cap, name="cap"),
    path("settings/portal/", portal.rule, name="portal"),
    path("settings/mail-route/", route.route, name="route"),
    path("settings/mail-route/ready/", standby.keep, name="standby"),
    path("settings/mail-route/ready/<uuid:standby_id>/", standby.drop, name="standby_drop"),
    path("t/o/<str:token>.gif", tracking.picture, name="opened"),
    path("t/c/<str:token>/<slug:link>", tracking.link, name="clicked"),
]
