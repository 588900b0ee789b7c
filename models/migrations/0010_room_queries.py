"""Indexes of rooms and accounts that the ORM cannot say."""

from tortoise import migrations
from tortoise.migrations import operations as ops

#: Each with the statement that takes it away again.
INDEXES = [
    # what was pushed to one person, newest first
    ("CREATE INDEX outbox_notices ON outbox (recipient, id) WHERE kind = 'notice'", "DROP INDEX outbox_notices"),
    # about whom WeChat has been asked
    ("CREATE INDEX outbox_union ON outbox (recipient) WHERE kind = 'union'", "DROP INDEX outbox_union"),
    # whose exact place is still known
    (
        "CREATE INDEX cases_with_place ON cases (closed_at) WHERE latitude IS NOT NULL AND closed_at IS NOT NULL",
        "DROP INDEX cases_with_place",
    ),
    (
        "CREATE INDEX inbox_with_place ON inbox (received_at) WHERE kind = 'location' AND body <> ''::bytea",
        "DROP INDEX inbox_with_place",
    ),
    (
        "CREATE INDEX room_message_place ON room_message (at) WHERE kind = 'location' AND data ? 'latitude'",
        "DROP INDEX room_message_place",
    ),
    # what waits for WeChat's word on it, oldest first
    (
        "CREATE INDEX room_message_checking ON room_message (id) WHERE state = 'checking'",
        "DROP INDEX room_message_checking",
    ),
    # one open review a message; and what staff have not been told of
    (
        "CREATE UNIQUE INDEX review_open ON review (message_id) WHERE outcome = 'open' AND message_id IS NOT NULL",
        "DROP INDEX review_open",
    ),
    (
        "CREATE INDEX review_untold ON review (room_id) WHERE outcome = 'open' AND told_at IS NULL",
        "DROP INDEX review_untold",
    ),
    # which logins have just ended: what open connections ask twice a second
    (
        "CREATE INDEX login_token_ended ON login_token (ended_at) WHERE ended_at IS NOT NULL",
        "DROP INDEX login_token_ended",
    ),
    # which message or case shows an uploaded file
    (
        "CREATE INDEX attachment_upload ON attachment (path) WHERE starts_with(path, 'uploads/')",
        "DROP INDEX attachment_upload",
    ),
    # what was taken back or hidden by which entry
    (
        "CREATE INDEX room_message_target ON room_message (target) WHERE target IS NOT NULL",
        "DROP INDEX room_message_target",
    ),
    # where a file is shown
    (
        "CREATE INDEX room_message_upload ON room_message ((data->>'upload')) WHERE data ? 'upload'",
        "DROP INDEX room_message_upload",
    ),
    # a room's announcements, the newest first
    (
        "CREATE INDEX room_message_announced ON room_message (room_id, seq) WHERE kind = 'announcement'",
        "DROP INDEX room_message_announced",
    ),
    # one badge of a kind at a time
    (
        "CREATE UNIQUE INDEX badge_open ON badge (kind, coalesce(resident_id, 0), coalesce(staff_id, 0)) "
        "WHERE ended_at IS NULL",
        "DROP INDEX badge_open",
    ),
    # likely reports that are no case yet; and what nobody has answered
    (
        "CREATE INDEX room_message_hint ON room_message (room_id, id) WHERE hint IS NOT NULL AND case_id IS NULL",
        "DROP INDEX room_message_hint",
    ),
    (
        "CREATE INDEX room_message_unanswered ON room_message (at) WHERE answered_at IS NULL AND collected_at IS NULL "
        "AND case_id IS NULL AND (intent IN ('consult', 'progress') OR hint IS NOT NULL)",
        "DROP INDEX room_message_unanswered",
    ),
    # who complains how often
    ("CREATE INDEX review_by ON review (by, opened_at)", "DROP INDEX review_by"),
]


class Migration(migrations.Migration):
    dependencies = [("linli", "0009_rooms")]

    initial = False

    operations = [ops.RunSQL(forward, backward) for forward, backward in INDEXES]
