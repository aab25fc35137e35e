"""The words of the wire and of stopped messages in plain English, for receipts and reports."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

REASONS: Mapping[str, str] = MappingProxyType(
    {
        # why a message goes to the portal
        "floor_is_portal": "What it discloses is for the portal only",
        "portal_was_chosen": "It was written to the portal",
        "class_out_of_scope": "It tells more than the relay may carry",
        "part2_not_agreed": "The relay's agreement does not cover records of a substance use program",
        "policy_too_low": "What is known of this destination cannot protect it enough",
        "no_starttls": "Their server offers no encryption",
        "starttls_refused": "Their server offered encryption and then refused it",
        "plaintext_after_starttls": "Somebody between us and their server put in words of their own",
        "handshake_failed": "No encryption could be agreed on with their server",
        "tls_too_old": "Their server knows only encryption that is too old",
        "weak_cipher": "Their server knows only encryption that is too weak",
        "certificate_expired": "Their server's certificate has expired",
        "certificate_wrong_name": "Their server's certificate is for another name",
        "certificate_untrusted": "Nobody we trust vouches for their server's certificate",
        "certificate_not_pinned": "Their server's certificate is not the one that was agreed on",
        "host_not_allowed": "Their mail goes to a server that they did not name",
        # why it waits though it could go by a relay meanwhile
        "no_relay_of_that_name": "No relay is kept ready by that name",
        "relay_too_weak": "The relay cannot protect it enough",
        # why it was stopped
        "cancelled_by_staff": "Stopped by staff",
        "message_recalled": "The message it told of was recalled",
        "person_is_gone": "The person is not here any more",
        "merged": "The record was merged with another of the same person",
        "frequency_cap": "The person was written to often enough lately",
        # why it was refused or tried again
        "no_such_mailbox": "There is no such mailbox",
        "no_such_domain": "There is no such domain",
        "domain_takes_no_mail": "This domain takes no mail",
        "bad_address": "The address cannot be right",
        "ambiguous_address": "Their server knows more than one such address",
        "mailbox_moved": "The mailbox has moved",
        "mailbox_disabled": "The mailbox is closed",
        "mailbox_full": "The mailbox is full",
        "mailbox_trouble": "Their server has trouble with this mailbox",
        "address_trouble": "Their server does not like the address",
        "system_full": "Their server is full",
        "system_trouble": "Their server has trouble",
        "network_trouble": "Their network has trouble",
        "no_route": "There is no way to their server",
        "expired": "It was tried for as long as is useful",
        "greylisted": "Their server asks everybody new to come again",
        "busy": "Their server is busy",
        "rate": "Their server wants fewer messages at a time",
        "too_many_recipients": "Their server takes fewer messages at once",
        "list_trouble": "Their mailing list has trouble",
        "blocked": "Their server has us on a list of senders it refuses",
        "authentication": "Their server does not believe that the message is ours",
        "bad_sender_address": "Their server does not like our address",
        "bad_sender_domain": "Their server does not like our domain",
        "content": "Their server does not like what it says",
        "content_form": "Their server does not like its form",
        "policy": "A policy of theirs refuses it",
        "too_large": "It is too large for them",
        "incompatible_relay": "Their server cannot pass it on",
        "protocol_trouble": "Their server did not follow the rules of mail",
        "needs_smtputf8": "Their server cannot take this address",
        "needs_8bitmime": "Their server cannot take its characters",
        "not_said": "Their server did not say why",
        "timeout": "Their server did not answer in time",
        "unreachable": "Their server could not be reached",
        "closed": "The connection broke",
        "reset": "The connection broke",
        "protocol": "Their server did not follow the rules of mail",
        "no_login_offered": "The relay does not ask who we are, though we have a login for it",
        "login_refused": "The relay did not take our login",
        "closing": "We were stopping",
        "lease_ends": "Our time for it was over",
        "changed": "The person changed meanwhile",
    }
)

NEXT_STEPS: Mapping[str, str] = MappingProxyType(
    {
        "certificate_untrusted": "Get a certificate of a known authority for that server. Is it your own authority's, add that to what this "
        "machine trusts: copy its certificate to /usr/local/share/ca-certificates/NAME.crt and run update-ca-certificates, or "
        "name a file of authorities in SSL_CERT_FILE wherever Salus is started. Salus trusts nobody unverified.",
        "certificate_wrong_name": "Write the server's address as its certificate names it, or get a certificate for that name.",
        "certificate_expired": "Renew that server's certificate.",
        "no_starttls": "Switch STARTTLS on at that server, or use smtps:// with the port for it (465).",
        "login_refused": "Look at the user name and the password for the relay: salus setup --again.",
        "no_login_offered": "Is the port right? Relays ask for a login at 587 (STARTTLS) or 465 (TLS).",
        "unreachable": "Look at address and port, and whether a firewall closes the way out.",
        "timeout": "Look at address and port, and whether a firewall closes the way out.",
        "no_route": "Look at address and port, and whether DNS answers on this machine.",
    }
)
"""What whoever runs a relay of their own does next, for what a test message meets."""


def plain_reason(code: str) -> str:
    """Return what a reason's code means; a code that is not known speaks for itself, with spaces."""
    return REASONS.get(code, code.replace("_", " ").capitalize())
