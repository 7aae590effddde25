from django.db import models


class IdempotencyKey(models.Model):
    """One effect and one answer per (actor, key). Only successes stay: a refused write rolls its row back.

    ``actor`` is the member's primary key without a foreign key, since core knows no other app.
    """

    actor = models.BigIntegerField()
    key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64)
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["actor", "key"], name="idempotency_once")]
        indexes = [
            models.Index(fields=["created_at"], name="idempotency_age")
        ]  # read by the tick that prunes


class Heartbeat(models.Model):
    """When a periodic job last ran: one row per job, shown on the health page."""

    name = models.CharField(max_length=40, primary_key=True)
    beat_at = models.DateTimeField()
    note = models.CharField(max_length=200, blank=True)
