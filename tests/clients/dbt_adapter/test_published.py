"""Every test of the package dbt-tests-adapter, as it is published: each class with tests that no other
class of the package builds upon. None is changed for this warehouse, so those that an adapter has to adapt
fail here too."""

import importlib
import inspect
import pathlib

import dbt.tests.adapter

FOLDER = pathlib.Path(next(iter(dbt.tests.adapter.__path__)))


def classes():
    """All of the package: (the place where each stands, the class). Its folders are no packages, so that they
    are found as files."""
    for file in sorted(FOLDER.rglob("*.py")):
        place = ".".join(file.relative_to(FOLDER).with_suffix("").parts)
        if file.name == "__init__.py":
            continue
        loaded = importlib.import_module(f"{dbt.tests.adapter.__name__}.{place}")
        for _, found in inspect.getmembers(loaded, inspect.isclass):
            if found.__module__ == loaded.__name__:
                yield place, found


def published():
    found = list(classes())
    built_upon = {base for _, each in found for base in each.__mro__[1:]}
    for place, each in found:
        if each not in built_upon and any(name.startswith("test") for name in dir(each)):
            yield place, each


for where, base in published():
    made = f"Test_{where.replace('.', '_')}_{base.__name__}"
    globals()[made] = type(made, (base,), {"__module__": __name__})
del base
