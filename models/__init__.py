"""What Linli remembers: Tortoise models, enums, the case transition table as data, migrations."""

from models.audit import AuditAnchor, AuditEvent
from models.cases import (
    Assist,
    Attachment,
    Case,
    CaseEvent,
    CaseRequest,
    Duty,
    DutyList,
    Follower,
    ReplyTemplate,
    SpecialDay,
    Supervision,
)
from models.interconnection import ApiKey, Connector, ConnectorCase, InboundUpdate, OpenRequest, OpenUpdate
from models.language import WordRule
from models.messaging import Consent, Conversation, Inbox, Outbox
from models.people import Absence, Area, BindCode, Component, Department, Household, PlaceVersion, Resident, Staff
from models.statistics import Exclusion, Formula, FrozenMonth, HintWeek

__all__ = [
    "Absence",
    "ApiKey",
    "Area",
    "Assist",
    "Attachment",
    "AuditAnchor",
    "AuditEvent",
    "BindCode",
    "Case",
    "CaseEvent",
    "CaseRequest",
    "Component",
    "Connector",
    "ConnectorCase",
    "Consent",
    "Conversation",
    "Department",
    "Duty",
    "DutyList",
    "Exclusion",
    "Follower",
    "Formula",
    "FrozenMonth",
    "HintWeek",
    "Household",
    "InboundUpdate",
    "Inbox",
    "OpenRequest",
    "OpenUpdate",
    "Outbox",
    "PlaceVersion",
    "ReplyTemplate",
    "Resident",
    "SpecialDay",
    "Staff",
    "Supervision",
    "WordRule",
]
