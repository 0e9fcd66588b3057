"""Every test of the package dbt-tests-adapter, as it is published: the classes that it calls Test….
None is changed for this warehouse, so those that an adapter has to adapt fail here too."""

import importlib
import inspect
import pkgutil

import dbt.tests.adapter


def published():
    prefix = dbt.tests.adapter.__name__ + "."
    for module in pkgutil.walk_packages(dbt.tests.adapter.__path__, prefix):
        loaded = importlib.import_module(module.name)
        for name, found in inspect.getmembers(loaded, inspect.isclass):
            if found.__module__ == module.name and name.startswith("Test"):
                yield module.name.removeprefix(prefix).replace(".", "_"), name, found


for place, class_name, base in published():
    made = f"Test_{place}_{class_name}"
    globals()[made] = type(made, (base,), {"__module__": __name__})
del base
