"""Jobs: what may stand in their arguments, which are stored in clear."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import connection

from salus.kernel.ids import new_id
from salus.platform.jobs import UnsafeArgument, defer


@pytest.mark.parametrize(
    "value", ["Quillfeather", "rosa@example.test", "1961-02-03", "+15185550142", "", 1.5]
)
def test_a_word_is_no_argument_of_a_job(tenant: UUID, value: object) -> None:
    with pytest.raises(UnsafeArgument, match="campaign_id") as refused:
        defer("salus.campaigns.tasks.make_plan", campaign_id=value)  # type: ignore[arg-type]  # on purpose
    assert str(value or "never there") not in str(refused.value)


def test_ids_and_numbers_are(tenant: UUID) -> None:
    wanted = str(new_id())
    defer("salus.campaigns.tasks.make_plan", campaign_id=wanted, number=3, nothing=None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT args FROM procrastinate_jobs ORDER BY id DESC LIMIT 1")
        (found,) = cursor.fetchone()
    assert wanted in str(found)
    assert str(tenant) in str(found)
