"""Addresses of the portal; tokens are opaque, and ids mean nothing without a session."""

from django.urls import path

from salus.portal.web import check, choices, letters, passkeys, stop

app_name = "portal"

urlpatterns = [
    path("", letters.home, name="home"),
    path("m/<str:token>", check.check, name="check"),
    path("m/<str:token>/code", check.send_code, name="send_code"),
    path("m/<str:token>/passkey/ask", passkeys.ask_by_link, name="ask_by_link"),
    path("m/<str:token>/passkey", passkeys.sign_in, name="sign_in_by_passkey"),
    path("m/<str:token>/not-me", check.not_me, name="not_me"),
    path("u/<str:token>", stop.stop, name="stop"),
    path("c/<str:token>", stop.choose, name="choose"),
    path("w/<str:token>", stop.why, name="why"),
    path("o/<str:token>", stop.opt_in, name="opt_in"),
    path("messages", letters.messages, name="messages"),
    path("messages/<uuid:message_id>", letters.message, name="message"),
    path("messages/<uuid:message_id>/body", letters.body, name="body"),
    path("messages/<uuid:message_id>/files/<uuid:file_id>", letters.file, name="file"),
    path("messages/<uuid:message_id>/reply", letters.reply, name="reply"),
    path("messages/<uuid:message_id>/stronger", passkeys.stronger, name="stronger"),
    path("messages/<uuid:message_id>/passkey", passkeys.step_up, name="step_up"),
    path("passkey/ask", passkeys.ask_in_session, name="ask_in_session"),
    path("passkeys", passkeys.own, name="passkeys"),
    path("passkeys/ask", passkeys.ask_for_new, name="ask_for_new"),
    path("passkeys/forget", passkeys.forget, name="forget_passkeys"),
    path("choices", choices.choices, name="choices"),
    path("choices/stop", choices.stop_all, name="stop_all"),
    path("choices/protection", choices.protection, name="protection"),
    path("choices/withdraw/<uuid:authorization_id>", choices.withdraw, name="withdraw"),
    path("history", choices.history, name="history"),
    path("sign-out", letters.sign_out, name="sign_out"),
]
