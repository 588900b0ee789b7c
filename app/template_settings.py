"""The account's message templates as settings: which template carries which kind of notice, by which keywords."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from bot.config import TemplateConfig
from bot.notice_kinds import CASE, KINDS, template_faults

_CASE_KEYWORDS = {
    "number": "character_string1",
    "subject": "thing2",
    "status": "phrase3",
    "time": "time4",
    "note": "thing5",
}
#: The keywords of the simulated account's templates; see simulator/templates.toml.
_SIMULATED: Mapping[str, Mapping[str, str]] = {
    CASE: _CASE_KEYWORDS,
    "booking": {
        "number": "character_string1",
        "subject": "thing2",
        "status": "phrase3",
        "time": "time4",
        "place": "thing5",
        "code": "character_string6",
        "note": "thing7",
    },
    "application": _CASE_KEYWORDS,
    "policy": {"subject": "thing1", "time": "time2", "note": "thing3"},
    "survey": {"subject": "thing1", "status": "phrase2", "time": "time3", "note": "thing4"},
}


class TemplateSetting(BaseModel):
    """A template as JSON: `{"id": "…", "fields": {"number": "character_string1", "status": "phrase3"}}`."""

    model_config = ConfigDict(frozen=True)
    id: str = Field(validation_alias=AliasChoices("id", "template_id"))
    fields: dict[str, str]

    def config(self) -> TemplateConfig:
        return TemplateConfig(template_id=self.id, fields=self.fields)

    def __str__(self) -> str:
        return f"{self.id}: {', '.join(f'{ours} → {keyword}' for ours, keyword in self.fields.items())}"


def check_kinds(templates: Mapping[str, TemplateSetting]) -> None:
    """Raises ValueError for a kind of notice that Linli does not have."""
    if unknown := sorted(templates.keys() - KINDS.keys()):
        raise ValueError(f"no kind of notice: {', '.join(unknown)}; there are {', '.join(KINDS)}")


def of_kinds(
    case: TemplateSetting | None, others: Mapping[str, TemplateSetting], simulated: str
) -> dict[str, TemplateConfig]:
    """The templates by kind. `simulated`: how ids of the simulated account's begin; "" = a real account."""
    own = ({CASE: case} if case else {}) | dict(others)
    if own or not simulated:
        return {kind: template.config() for kind, template in own.items()}
    made = {kind: f"{simulated}_{'case_progress' if kind == CASE else kind}" for kind in _SIMULATED}
    return {kind: TemplateConfig(made[kind], fields) for kind, fields in _SIMULATED.items()}


def notice_faults(names: Mapping[str, Mapping[str, TemplateConfig]]) -> list[tuple[str, str]]:
    """(setting, what is wrong) of templates that cannot carry what is to go into them. `names`: by setting's name, such
    as LINLI_WECHAT_TEMPLATE."""
    return [
        (setting_name(name, kind), "; ".join(faults))
        for name, templates in names.items()
        for kind, template in templates.items()
        if (faults := template_faults(kind, template))
    ]


def setting_name(name: str, kind: str) -> str:
    """Where the operator finds a template: the one of cases has a setting of its own."""
    return name if kind == CASE else f"{name}S {kind}"


def shown(value: Mapping[str, Any]) -> str:
    """Templates by kind, for the screen."""
    return "; ".join(f"{kind} = {template}" for kind, template in value.items()) or "(empty)"
