"""Delivery's tables: what is sent for whom, the narrow queue, receipts in batches, portal deposits."""

from __future__ import annotations

from django.db import models

from salus.delivery.contracts import By, Engaged, Sign, State
from salus.kernel.ids import new_id
from salus.platform.tenancy import TenantModel


class OriginRow(TenantModel):
    """One sending (a campaign, a portal notice) and how it stands."""

    PLANNING, PLANNED, RELEASED, PAUSED, CANCELLED = "planning", "planned", "released", "paused", "cancelled"

    id = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=20)
    status = models.CharField(max_length=10, default=PLANNING)
    is_open = models.BooleanField(default=False)
    """People are added to it at any time, and each message is released as it is planned."""
    spec = models.BinaryField()
    """The sealed JSON of the specification: it names topics and conditions."""
    priority = models.SmallIntegerField()
    is_capped = models.BooleanField(default=True)
    """Its messages count for the frequency cap, and wait for it."""
    planned = models.BigIntegerField(null=True)
    """How many people planning covered, written when it ended."""
    not_before = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """Found by organization and id."""

        db_table = "delivery_origin"
        indexes = [models.Index(fields=["organization_id", "kind"], name="delivery_origin_kind")]


class MessageRow(TenantModel):
    """One message to one person: the clearance it is bound to and what it takes to render it again.

    `sealed` holds address, merge values as formatted strings, tokens and the gate's decision, as one
    AEAD ciphertext; nothing in the clear columns tells who the person is or why they are written to.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    origin = models.ForeignKey(OriginRow, on_delete=models.PROTECT, related_name="+")
    contact_id = models.UUIDField()
    contact_number = models.BigIntegerField()
    state = models.CharField(max_length=20, choices=[(state, state) for state in State])
    reason = models.CharField(max_length=60, default="")
    rule = models.CharField(max_length=20, default="")
    """The rule that set the purpose's gates, for the report's sums."""
    floor = models.SmallIntegerField(default=0)
    reached = models.SmallIntegerField(default=0)
    contact_version = models.BigIntegerField()
    standing_version = models.BigIntegerField()
    valid_until = models.DateTimeField()
    version_id = models.UUIDField(null=True)
    language = models.CharField(max_length=8, default="")
    site = models.CharField(max_length=80, default="")
    sealed = models.BinaryField()
    decided_at = models.DateTimeField()
    attempts = models.SmallIntegerField(default=0)
    first_attempt_at = models.DateTimeField(null=True)
    uncertain = models.BooleanField(default=False)
    changed_at = models.DateTimeField()
    emptied_at = models.DateTimeField(null=True)
    """When address and values were taken out because their time was over."""

    class Meta(TenantModel.Meta):
        """One message a person in each sending: that is what makes planning idempotent."""

        db_table = "delivery_message"
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "origin", "contact_number"], name="delivery_message_number_once"
            )
        ]
        indexes = [
            # Everything that progress counts, so that counting never reads the sealed rows.
            models.Index(
                fields=["organization_id", "origin", "state"],
                include=["reason", "rule", "reached", "uncertain"],
                name="delivery_message_counts",
            ),
            models.Index(fields=["organization_id", "contact_id", "id"], name="delivery_message_contact"),
            models.Index(
                fields=["organization_id", "changed_at"],
                name="delivery_message_unnotified",
                condition=models.Q(state=State.PORTAL_UNNOTIFIED),
            ),
        ]


class QueueRow(TenantModel):
    """One message that waits for a sender: ids, site, times; the only table a sender sees across organizations.

    `begun` is the batch mark: it is committed before MAIL FROM. A lease that ended with `begun` set
    belonged to a sender that died, and the message may have been handed over: it is `uncertain`.
    """

    message_id = models.UUIDField(primary_key=True)
    origin_id = models.UUIDField()
    site = models.CharField(max_length=80)
    priority = models.SmallIntegerField()
    not_before = models.DateTimeField()
    held = models.BooleanField(default=False)
    lease_until = models.DateTimeField(null=True)
    sender = models.UUIDField(null=True)
    """Who holds the lease: the name on the roll of senders (`platform.presence`)."""
    fence = models.BigIntegerField(default=0)
    begun = models.BooleanField(default=False)

    class Meta(TenantModel.Meta):
        """Read by priority and time."""

        db_table = "delivery_queue"
        indexes = [
            models.Index(
                fields=["organization_id", "priority", "not_before"],
                name="delivery_queue_due",
                condition=models.Q(held=False),
            ),
            models.Index(fields=["organization_id", "origin_id"], name="delivery_queue_origin"),
        ]


class CapRow(TenantModel):
    """The organization's frequency cap; none while there is no row."""

    pk = models.CompositePrimaryKey("organization_id", "only")
    only = models.BooleanField(default=True)
    at_most = models.SmallIntegerField()
    days = models.SmallIntegerField()

    class Meta(TenantModel.Meta):
        """One an organization; whoever gives turns locks it."""

        db_table = "delivery_cap"


class WrittenRow(TenantModel):
    """That a person was written to, or will be, by a message that counts for the frequency cap.

    `at` is when it was handed over; before that, when it is due. A message that has its turn is not held
    back any more; the others were wanted first at `wanted_at`. One that ends otherwise has no row.
    """

    pk = models.CompositePrimaryKey("organization_id", "contact_id", "at", "message_id")
    contact_id = models.UUIDField()
    at = models.DateTimeField()
    message_id = models.UUIDField()
    has_turn = models.BooleanField()
    wanted_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """What one person was written in some time is one stretch of the key."""

        db_table = "delivery_written"


class ReceiptBatch(TenantModel):
    """Receipts that were recorded together: one leaf of the audit log over the root of their tree."""

    id = models.UUIDField(primary_key=True, default=new_id)
    root = models.BinaryField()
    count = models.IntegerField()
    audit_entry_id = models.UUIDField()

    class Meta(TenantModel.Meta):
        """Append-only."""

        db_table = "delivery_receiptbatch"


class ReceiptRow(TenantModel):
    """The receipt of one step of one message; `body` is canonical JSON of ids and facts, no PHI in clear."""

    id = models.UUIDField(primary_key=True, default=new_id)
    message_id = models.UUIDField()
    batch = models.ForeignKey(ReceiptBatch, on_delete=models.PROTECT, related_name="+")
    place = models.IntegerField()
    body = models.BinaryField()
    at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """Append-only; the batch's tree is rebuilt from its rows in order of `place`."""

        db_table = "delivery_receipt"
        indexes = [
            models.Index(fields=["organization_id", "message_id", "at"], name="delivery_receipt_message"),
            models.Index(fields=["organization_id", "batch", "place"], name="delivery_receipt_batch"),
        ]


class Deposit(TenantModel):
    """A message that waits in the portal: the sealed bytes that the patient will read."""

    message_id = models.UUIDField(primary_key=True)
    contact_id = models.UUIDField()
    sealed = models.BinaryField()
    special = models.BooleanField(default=False)
    """Special categories are disclosed: no sign-in code by e-mail."""
    path_failed = models.BooleanField(default=False)
    """The e-mail path could not be protected: no sign-in code travels on it."""
    notice_id = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True)
    recalled_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    """When it was recalled or expired: nobody reads it from then on."""
    view_only = models.BooleanField(default=False, db_default=False)
    recall_reason = models.CharField(max_length=20, default="", db_default="")
    erased_at = models.DateTimeField(null=True)
    """When its words and files were erased for good, some time after it ended."""

    class Meta(TenantModel.Meta):
        """Found by person for the portal's list; those that have not ended, by when they will."""

        db_table = "delivery_deposit"
        indexes = [
            models.Index(fields=["organization_id", "contact_id"], name="delivery_deposit_contact"),
            models.Index(
                fields=["organization_id", "expires_at"],
                name="delivery_deposit_ends",
                condition=models.Q(ended_at=None),
            ),
            models.Index(
                fields=["organization_id", "ended_at"],
                name="delivery_deposit_erase",
                condition=models.Q(ended_at__isnull=False, erased_at=None),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(recalled_at=None) | models.Q(ended_at__isnull=False),
                name="delivery_deposit_recalled_ended",
            ),
            models.CheckConstraint(
                condition=models.Q(erased_at=None) | models.Q(ended_at__isnull=False),
                name="delivery_deposit_erased_ended",
            ),
        ]


class LetterRow(TenantModel):
    """How a message that somebody wrote by hand is to be kept in the portal, until it is there."""

    message_id = models.UUIDField(primary_key=True)
    view_only = models.BooleanField()
    days = models.SmallIntegerField(null=True)

    class Meta(TenantModel.Meta):
        """Read when the message gets to the portal."""

        db_table = "delivery_letter"


class PortalRuleRow(TenantModel):
    """The organization's rule for the portal; the product's while there is no row."""

    pk = models.CompositePrimaryKey("organization_id", "only")
    only = models.BooleanField(default=True)
    days = models.SmallIntegerField()
    kept_days = models.SmallIntegerField()

    class Meta(TenantModel.Meta):
        """One an organization."""

        db_table = "delivery_portalrule"


class EngagementRow(TenantModel):
    """That a message was opened, clicked or read, and by what sort of fetcher: one row each, for counts.

    It says as little as a message's state does; what was clicked, and when, is sealed in the timeline.
    """

    pk = models.CompositePrimaryKey("organization_id", "origin_id", "kind", "by", "message_id")
    origin_id = models.UUIDField()
    kind = models.CharField(max_length=8, choices=[(kind, kind) for kind in Engaged])
    by = models.CharField(max_length=8, choices=[(by, by) for by in By])
    message_id = models.UUIDField()

    class Meta(TenantModel.Meta):
        """A sending's counts are one stretch of the key."""

        db_table = "delivery_engagement"


class PartnerPolicy(TenantModel):
    """A domain whose mail servers we have agreed on with its owner: what makes TLS `verified`."""

    id = models.UUIDField(primary_key=True, default=new_id)
    domain = models.CharField(max_length=253)
    policy = models.JSONField()
    """What the server must prove: names, authorities (PEM), certificate_pins, key_pins, hosts."""
    agreed_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """One policy a domain."""

        db_table = "delivery_partnerpolicy"
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "domain"], name="delivery_partner_once")
        ]


class StsRow(TenantModel):
    """The MTA-STS policy of one recipient domain, sealed; its id is the domain's blind index."""

    id = models.UUIDField(primary_key=True)
    sealed = models.BinaryField()
    fetched_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """Found by its id; what has expired goes."""

        db_table = "delivery_sts"
        indexes = [models.Index(fields=["organization_id", "expires_at"], name="delivery_sts_expires")]


class RouteRow(TenantModel):
    """The relay that all mail of an organization goes by; none while there is no row. `sealed` holds the login.

    `why` says that the queue waits for the register (a code), since when.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    service_id = models.UUIDField()
    sealed = models.BinaryField()
    chosen_at = models.DateTimeField()
    why = models.CharField(max_length=40, default="")
    paused_since = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        """One an organization."""

        db_table = "delivery_route"
        constraints = [models.UniqueConstraint(fields=["organization_id"], name="delivery_route_only")]


class StandbyRow(TenantModel):
    """A relay by which mail to a destination goes while that refuses ours and a rule of shaping says so; `sealed` holds the login."""

    id = models.UUIDField(primary_key=True, default=new_id)
    name = models.CharField(max_length=62)
    service_id = models.UUIDField()
    sealed = models.BinaryField()
    chosen_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """Found by its name."""

        db_table = "delivery_standby"
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "name"], name="delivery_standby_once")
        ]


class CallRow(TenantModel):
    """One signed webhook about one person: that it was made, how it stands, how it ended.

    `sealed` holds the body as it is signed and sent, and what it tells (labels and fields); it is empty
    once the call is settled.
    `number` is its place in the feed of settled calls, from the moment it is settled.
    """

    WAITING, DONE, FAILED = "waiting", "done", "failed"

    id = models.UUIDField(primary_key=True, default=new_id)
    origin_kind = models.CharField(max_length=20)
    origin_id = models.UUIDField()
    contact_id = models.UUIDField()
    service_id = models.UUIDField()
    sealed = models.BinaryField()
    state = models.CharField(max_length=8, default=WAITING)
    reason = models.CharField(max_length=40, default="")
    """Why it was given up, or why it waits for another attempt; a code."""
    attempts = models.SmallIntegerField(default=0)
    created_at = models.DateTimeField()
    give_up_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    number = models.BigIntegerField(null=True)

    class Meta(TenantModel.Meta):
        """One call a person in each sending; the settled ones are followed by number."""

        db_table = "delivery_call"
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "origin_id", "contact_id"], name="delivery_call_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["organization_id", "number"],
                name="delivery_call_settled",
                condition=models.Q(number__isnull=False),
            ),
            models.Index(
                fields=["organization_id", "give_up_at"],
                name="delivery_call_waiting",
                condition=models.Q(state="waiting"),
            ),
        ]


class CallQueueRow(TenantModel):
    """One call that waits for a sender: ids and times; senders see those of every organization."""

    call_id = models.UUIDField(primary_key=True)
    service_id = models.UUIDField()
    not_before = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    fence = models.BigIntegerField(default=0)

    class Meta(TenantModel.Meta):
        """Read by service and time: each service has its own turn."""

        db_table = "delivery_callqueue"
        indexes = [
            models.Index(
                fields=["organization_id", "service_id", "not_before"], name="delivery_callqueue_due"
            )
        ]


class CallPause(TenantModel):
    """A service whose queue is paused, and why (a code of the vendor register)."""

    pk = models.CompositePrimaryKey("organization_id", "service_id")
    service_id = models.UUIDField()
    why = models.CharField(max_length=40)
    since = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """A row while it is paused."""

        db_table = "delivery_callpause"


class ReturnRow(TenantModel):
    """What came back for a message, by code; never the address, and nothing of what was returned.

    `entry_id` is the suppression that it was evidence for: it counts for one only. `decided` marks the
    return that led to it.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    message_id = models.UUIDField()
    contact_id = models.UUIDField()
    sign = models.CharField(max_length=12, choices=[(sign, sign) for sign in Sign])
    reason = models.CharField(max_length=60)
    status = models.CharField(max_length=40)
    at = models.DateTimeField()
    entry_id = models.UUIDField(null=True)
    decided = models.BooleanField(default=False)

    class Meta(TenantModel.Meta):
        """Once a message and sign; found by person for the rule, and newest first for the page."""

        db_table = "delivery_return"
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "message_id", "sign"], name="delivery_return_once"
            )
        ]
        indexes = [
            models.Index(fields=["organization_id", "contact_id", "at"], name="delivery_return_contact"),
            models.Index(fields=["organization_id", "at"], name="delivery_return_at"),
            models.Index(fields=["organization_id", "entry_id"], name="delivery_return_entry"),
        ]
