"""Running migrations by Tortoise's own steps, in a twentieth of its time.

The library makes the classes of all models anew before and after each step; a step looks at one model and those it
refers to. Here a class is made when a step asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from tortoise import Model, Tortoise
from tortoise.connection import get_connection
from tortoise.migrations.executor import MigrationExecutor
from tortoise.migrations.graph import MigrationKey
from tortoise.migrations.schema_generator.state import ModelState, State
from tortoise.migrations.schema_generator.state_apps import StateApps

_Models = dict[tuple[str, str], ModelState]


async def run_migrations(config: dict[str, Any]) -> None:
    """Apply what the database of this configuration lacks. Its connections stay open."""
    await Tortoise.init(config=config, init_connections=False)
    await _Executor(get_connection("default"), config["apps"]).migrate(direction="forward")


class _Executor(MigrationExecutor):
    """The library's, over states that are cheap to copy."""

    async def _project_state(self, applied: set[MigrationKey], *, upto: MigrationKey | None = None) -> State:
        connections = {label: app["default_connection"] for label, app in self.loader.apps_config.items()}
        models: _Models = {}
        state = _State(models, _Classes(models, connections))
        for key in self._full_plan():
            if key in applied:
                await self.loader.disk_migrations[key].apply(state, dry_run=True)
        return state


class _State(State):
    """The models after some steps; what they look like as classes is not kept."""

    def reload_model(self, app_label: str, model_name: str) -> None:
        """Nothing was made that could be out of date."""

    def reload_models(self, model_tuples: Iterable[tuple[str, str]]) -> None:
        """Nothing was made that could be out of date."""

    def clone(self) -> _State:
        """A copy that the next step does not change: steps replace fields and options, and never alter them."""
        models = {
            key: replace(model, fields=dict(model.fields), options=dict(model.options))
            for key, model in self.models.items()
        }
        return _State(models, _Classes(models, self.apps._default_connections))  # noqa: SLF001 - ours as well


class _Classes(StateApps):
    """Makes the class of a model with those it refers to, which is all that a step reads."""

    def __init__(self, models: _Models, default_connections: Mapping[str, str]) -> None:
        super().__init__(dict(default_connections))
        self._models = models

    def get_model(self, app_label: str, model_name: str | None = None) -> type[Model]:
        """The class of `linli.Case`, or of `linli` and `Case`; KeyError where there is none."""
        key = self.split_reference(app_label) if model_name is None else (app_label, model_name)
        wanted = self._models[key]
        references = (getattr(field, "model_name", None) for field in wanted.fields.values())
        near = {key} | {self.split_reference(reference) for reference in references if isinstance(reference, str)}
        classes = StateApps(self._default_connections)
        for label, name in near & self._models.keys():
            classes.register_model(label, self._models[label, name].render(classes))
        classes._init_relations()  # noqa: SLF001 - as the library's State does
        classes._build_initial_querysets()  # noqa: SLF001 - the same
        return classes.apps[key[0]][key[1]]
