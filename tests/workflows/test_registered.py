"""Every activity is registered with the worker: one that is not would be tried again until its deadline."""

import inspect
from importlib import import_module
from pkgutil import walk_packages

import activities
from tests.desk import Desk
from workers.build import activities_of, notices_of


def defined() -> set[str]:
    """The names of all activities in the house."""
    names = [found.name for found in walk_packages(activities.__path__, "activities.")]
    modules = [import_module(name) for name in names if not name.endswith("__main__")]
    kinds = [kind for module in modules for _, kind in inspect.getmembers(module, inspect.isclass)]
    methods = [method for kind in kinds for _, method in inspect.getmembers(kind, inspect.isfunction)]
    return {name for method in methods if (name := _name(method))}


def _name(method: object) -> str:
    definition = getattr(method, "__temporal_activity_definition", None)
    return definition.name if definition else ""


def test_every_activity_is_registered(desk: Desk) -> None:
    assert {_name(method) for method in (*activities_of(desk.parts), *notices_of(desk.parts))} == defined()
