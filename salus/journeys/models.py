"""The journeys' tables: what is drawn, who is inside, where they were, what was counted."""

from __future__ import annotations

from django.db import models

from salus.journeys.contracts import Fate, Status, VersionStatus
from salus.kernel.ids import new_id
from salus.platform.tenancy import TenantModel

INSIDE = models.Q(fate=Fate.WAITING)


class JourneyRow(TenantModel):
    """One journey; `sealed` holds its name. `priority` is that of the live version, for the order of work."""

    id = models.UUIDField(primary_key=True, default=new_id)
    sealed = models.BinaryField()
    status = models.CharField(max_length=8, choices=[(each, each) for each in Status], default=Status.DRAFT)
    priority = models.SmallIntegerField(default=50)
    requests = models.JSONField(default=dict)
    """By act, the digest of the idempotency key with which a program asked for it last."""
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """Listed newest first."""

        db_table = "journeys_journey"
        indexes = [models.Index(fields=["organization_id", "-changed_at"], name="journeys_newest")]


class VersionRow(TenantModel):
    """One version; `sealed` holds the graph as JSON and the approver's note."""

    id = models.UUIDField(primary_key=True, default=new_id)
    journey_id = models.UUIDField()
    number = models.IntegerField()
    status = models.CharField(
        max_length=9, choices=[(each, each) for each in VersionStatus], default=VersionStatus.DRAFT
    )
    sealed = models.BinaryField()
    author_id = models.UUIDField(null=True)
    writers = models.JSONField(default=list)
    """Ids of everybody who wrote in it: none of them approves it."""
    approved_by = models.UUIDField(null=True)
    approved_at = models.DateTimeField(null=True)
    live_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """At most one version of a journey takes people, and at most one is being drawn or waits to start."""

        db_table = "journeys_version"
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "journey_id", "number"], name="journeys_version_once"
            ),
            models.UniqueConstraint(
                fields=["organization_id", "journey_id"],
                condition=models.Q(status=VersionStatus.LIVE),
                name="journeys_one_live",
            ),
            models.UniqueConstraint(
                fields=["organization_id", "journey_id"],
                condition=models.Q(
                    status__in=[VersionStatus.DRAFT, VersionStatus.SUBMITTED, VersionStatus.APPROVED]
                ),
                name="journeys_one_draft",
            ),
        ]


class EnrolmentRow(TenantModel):
    """One person's way through one journey: where they stand, until when, and how it ended.

    `occurrence` says which occasion let them in (a date, an event, a round of a segment), blinded or an
    id, so that the same one never does twice; `entry` how often they had been let in before. `ordinal`
    numbers the visit that is written when they leave `step`. `due_at` is when to look at them again, and
    can always be computed anew; `answer` is what came from outside since they arrived; `asked`: something
    about them changed, so early endings are asked too. `memory` holds ids, counts and times only.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    journey_id = models.UUIDField()
    version_id = models.UUIDField()
    contact_id = models.UUIDField()
    contact_number = models.BigIntegerField()
    entry = models.IntegerField(default=0)
    occurrence = models.BinaryField(max_length=16)
    step = models.CharField(max_length=40)
    ordinal = models.IntegerField(default=0)
    arrived_at = models.DateTimeField()
    came_by = models.CharField(max_length=40, default="")
    due_at = models.DateTimeField(null=True)
    waits = models.CharField(max_length=10, default="")
    answer = models.CharField(max_length=60, default="")
    asked = models.BooleanField(default=False)
    memory = models.JSONField(null=True)
    fate = models.CharField(max_length=9, choices=[(each, each) for each in Fate], default=Fate.WAITING)
    reason = models.CharField(max_length=60, default="")
    entered_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        """Nobody is inside twice at once, comes in twice for one occasion, or has two first (or nth) entries."""

        db_table = "journeys_enrolment"
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "contact_id", "journey_id"],
                condition=INSIDE,
                name="journeys_inside_once",
            ),
            models.UniqueConstraint(
                fields=["organization_id", "contact_id", "journey_id", "occurrence"],
                name="journeys_occasion_once",
            ),
            models.UniqueConstraint(
                fields=["organization_id", "contact_id", "journey_id", "entry"], name="journeys_entry_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization_id", "journey_id", "due_at"], condition=INSIDE, name="journeys_due"
            ),
            models.Index(
                fields=["organization_id", "journey_id", "ended_at"], condition=~INSIDE, name="journeys_over"
            ),
        ]


class VisitRow(TenantModel):
    """One step of one person, written when they leave it and never changed."""

    pk = models.CompositePrimaryKey("organization_id", "enrolment_id", "ordinal")
    enrolment_id = models.UUIDField()
    ordinal = models.IntegerField()
    version_id = models.UUIDField()
    step = models.CharField(max_length=40)
    arrived_at = models.DateTimeField()
    left_at = models.DateTimeField()
    port = models.CharField(max_length=40)
    outcome = models.CharField(max_length=10)
    reason = models.CharField(max_length=60)
    message_id = models.UUIDField(null=True)

    class Meta(TenantModel.Meta):
        """A diary is read by enrolment, "who left here that way" by step and port."""

        db_table = "journeys_visit"
        indexes = [
            models.Index(fields=["organization_id", "version_id", "step", "port"], name="journeys_who_left")
        ]


class TallyRow(TenantModel):
    """A part of a count: it is added up, and parts are joined from time to time.

    `what` is one of the words below. `hours` is the place of the time in the step on the scale of
    `rules.counting`, for the median. Those kept out (`reason` says why) have no step.
    """

    ENTERED, KEPT_OUT, ARRIVED, LEFT, OVER = "entered", "kept_out", "arrived", "left", "over"

    id = models.BigAutoField(primary_key=True)
    journey_id = models.UUIDField()
    version_id = models.UUIDField()
    what = models.CharField(max_length=8)
    step = models.CharField(max_length=40)
    port = models.CharField(max_length=40)
    outcome = models.CharField(max_length=10)
    """Of `left` the visit's outcome, of `over` the fate."""
    reason = models.CharField(max_length=60)
    hours = models.SmallIntegerField()
    people = models.BigIntegerField()

    class Meta(TenantModel.Meta):
        """Added up by journey."""

        db_table = "journeys_tally"
        indexes = [models.Index(fields=["organization_id", "journey_id"], name="journeys_tally_of")]


class SendingRow(TenantModel):
    """What a delivery origin (of messages, or of calls) of this package stands for; its id is made of the rest.

    `entry` and `times`: how often its people had been in the journey before, and at this step since.
    """

    id = models.UUIDField(primary_key=True)
    journey_id = models.UUIDField()
    version_id = models.UUIDField()
    step = models.CharField(max_length=40)
    entry = models.IntegerField()
    times = models.IntegerField()
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """All sendings of a journey are found together."""

        db_table = "journeys_sending"
        indexes = [models.Index(fields=["organization_id", "journey_id", "step"], name="journeys_sendings")]


class CursorRow(TenantModel):
    """How far a feed was followed: the number of the last entry that journeys saw."""

    pk = models.CompositePrimaryKey("organization_id", "feed")
    feed = models.CharField(max_length=20)
    last = models.BigIntegerField()

    class Meta(TenantModel.Meta):
        """One a feed."""

        db_table = "journeys_cursor"


class WayRow(TenantModel):
    """How far one way in of a journey, or an ending by segment, was followed; `key` is a digest of what it says.

    `sealed_members` is who was in its segment when it was asked last, `heads` the places of the feeds
    then. `sealed_coming` are those whom that found and who are not let in (or out) yet beyond contact
    number `reached`, for the occasion `occasion`. `done_until` is up to when dates and schedules were
    looked at.
    """

    pk = models.CompositePrimaryKey("organization_id", "journey_id", "key")
    journey_id = models.UUIDField()
    key = models.UUIDField()
    sealed_members = models.BinaryField(null=True)
    heads = models.JSONField(default=dict)
    asked_at = models.DateTimeField(null=True)
    sealed_coming = models.BinaryField(null=True)
    reached = models.BigIntegerField(default=0)
    occasion = models.UUIDField(null=True)
    done_until = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """One a way in."""

        db_table = "journeys_way"


class WrittenRow(TenantModel):
    """On which day, where they live, a journey wrote to a person last, and the highest priority of that day."""

    pk = models.CompositePrimaryKey("organization_id", "contact_id")
    contact_id = models.UUIDField()
    day = models.DateField()
    priority = models.SmallIntegerField()

    class Meta(TenantModel.Meta):
        """One a person."""

        db_table = "journeys_written"
