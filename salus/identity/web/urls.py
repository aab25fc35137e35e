"""Addresses of sign-in, account, staff and API keys."""

from django.urls import path

from salus.identity.web import account, break_glass, keys, passkeys, roles, sessions, sign_in, staff

app_name = "identity"

urlpatterns = [
    path("sign-in", sign_in.password, name="sign_in"),
    path("sign-in/code", sign_in.code, name="code"),
    path("sign-in/set-up", sign_in.set_up, name="set_up"),
    path("sign-in/passkey", passkeys.sign_in, name="passkey"),
    path("sign-in/passkey/ask", passkeys.ask, name="ask_passkey"),
    path("sign-in/set-up/passkey", passkeys.set_up, name="set_up_passkey"),
    path("sign-in/set-up/passkey/ask", passkeys.ask_to_set_up, name="ask_set_up_passkey"),
    path("join/<str:token>", sign_in.join, name="join"),
    path("sign-out", sign_in.sign_out, name="sign_out"),
    path("session/alive", sign_in.alive, name="alive"),
    path("account", account.overview, name="account"),
    path("account/password", account.password, name="password"),
    path("account/theme", account.theme, name="theme"),
    path("account/recovery-codes", account.recovery_codes, name="recovery_codes"),
    path("account/passkeys", passkeys.add, name="add_passkey"),
    path("account/passkeys/ask", passkeys.ask_to_add, name="ask_add_passkey"),
    path("account/passkeys/<int:passkey_id>/remove", passkeys.remove, name="remove_passkey"),
    path("account/sessions/end", account.end_other_sessions, name="end_sessions"),
    path("sessions", sessions.listing, name="sessions"),
    path("sessions/<str:mark>/end", sessions.end, name="end_session"),
    path("sessions/of/<uuid:staff_id>/end", sessions.end_of, name="end_sessions_of"),
    path("sessions/end", sessions.end_everybodys, name="end_everybodys_sessions"),
    path("roles", roles.listing, name="roles"),
    path("roles/new", roles.new, name="new_role"),
    path("roles/<uuid:role_id>", roles.show, name="role"),
    path("roles/<uuid:role_id>/grant", roles.grant, name="grant_role"),
    path("roles/<uuid:role_id>/remove", roles.remove, name="remove_role"),
    path("emergency", break_glass.ask, name="glass"),
    path("emergency/<uuid:glass_id>/give-back", break_glass.give_back, name="give_back_glass"),
    path("emergency/reviews", break_glass.listing, name="glass_reviews"),
    path("emergency/reviews/<uuid:glass_id>", break_glass.review, name="glass_review"),
    path("staff", staff.listing, name="staff"),
    path("staff/<uuid:staff_id>", staff.person, name="person"),
    path("staff/<uuid:staff_id>/invite", staff.invite, name="invite"),
    path("keys", keys.listing, name="keys"),
    path("keys/<uuid:key_id>/revoke", keys.revoke, name="revoke_key"),
]
