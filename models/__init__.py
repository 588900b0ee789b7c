"""What Linli remembers: Tortoise models, enums, the case transition table as data, migrations."""

from models.audit import AuditEvent
from models.cases import Attachment, Case, CaseEvent, Duty
from models.messaging import Consent, Conversation, Inbox, Outbox
from models.people import Area, BindCode, Department, Resident, Staff

__all__ = [
    "Area",
    "Attachment",
    "AuditEvent",
    "BindCode",
    "Case",
    "CaseEvent",
    "Consent",
    "Conversation",
    "Department",
    "Duty",
    "Inbox",
    "Outbox",
    "Resident",
    "Staff",
]
