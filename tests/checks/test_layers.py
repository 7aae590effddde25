"""What import-linter cannot see: foreign keys name models as text, and a model can read the clock by itself."""

from __future__ import annotations

from django.apps import apps
from django.db import models

# Upper apps point to lower ones, never back (design.md 2). Equal numbers do not know each other.
LAYERS = {
    "core": 0,
    "members": 1,
    "notices": 2,
    "spaces": 3,
    "childcare": 4,
    "booking": 5,
    "checkin": 6,
    "work": 7,
    "community": 7,
    "reports": 8,
    "hub": 9,
}


def our_models() -> list[type[models.Model]]:
    return [
        model for model in apps.get_models(include_auto_created=True) if model.__module__.startswith("hub.")
    ]


def layer_of(model: type[models.Model]) -> str | None:
    """`spaces` for hub.spaces.models, `hub` for modules of the top, None for other packages."""
    parts = model.__module__.split(".")
    if parts[0] != "hub":
        return None
    return parts[1] if parts[1] in LAYERS else "hub"


def test_foreign_keys_point_downwards() -> None:
    wrong = []
    for model in our_models():
        for field in model._meta.get_fields():
            if not isinstance(field, models.ForeignKey | models.ManyToManyField):
                continue
            owner, target = layer_of(model), layer_of(field.related_model)  # type: ignore[arg-type]
            if target is None or owner is None or owner == target:
                continue
            if LAYERS[target] >= LAYERS[owner]:
                wrong.append(f"{model._meta.label}.{field.name} -> {field.related_model}")
    assert wrong == []


def test_every_app_has_a_place_in_the_layers() -> None:
    ours = {
        config.name.removeprefix("hub.")
        for config in apps.get_app_configs()
        if config.name.startswith("hub.")
    }
    assert ours - set(LAYERS) == set()


def test_no_field_reads_the_clock_by_itself() -> None:
    """auto_now and default=timezone.now would pass by HUB_NOW and hub.core.clock."""
    wrong = []
    for model in our_models():
        for field in model._meta.local_fields:
            default = getattr(field.default, "__module__", "")
            if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
                wrong.append(f"{model._meta.label}.{field.name}: auto_now")
            elif field.model is model and default == "django.utils.timezone":
                wrong.append(f"{model._meta.label}.{field.name}: default=timezone.now")
    # AbstractUser's date_joined, if it is ever inherited, would be named here too.
    assert wrong == []
