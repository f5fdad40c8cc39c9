"""Puts the files of a project (configs, labels, embedded corpora, project.yml) into the wheel. Settings: setup.cfg."""

import os
import shutil

from setuptools import setup
from setuptools.command.build_py import build_py

# What `spacy_bioner.project_files` finds; in a checkout these lie where they are named here.
SHIPPED = ("project.yml", "configs", "assets/labels", "assets/published", "assets/corpora/embedded",
           "assets/corpora/embedded_zh")
FOLDER = os.path.join("spacy_bioner", "project")


class BuildWithProject(build_py):
    """Copy the files of a project into the package; an editable install reads them where they are."""

    def run(self):
        super().run()
        if getattr(self, "editable_mode", False):
            return
        target = os.path.join(self.build_lib, FOLDER)
        shutil.rmtree(target, ignore_errors=True)
        for path in list_files():
            os.makedirs(os.path.dirname(os.path.join(target, path)), exist_ok=True)
            shutil.copyfile(path, os.path.join(target, path))

    def get_source_files(self):
        return [*super().get_source_files(), *list_files()]

    def get_outputs(self, include_bytecode=True):
        return [*super().get_outputs(include_bytecode),
                *(os.path.join(self.build_lib, FOLDER, path) for path in list_files())]


def list_files():
    """Return the shipped files, relative to this folder; the embedded corpora are links to folders."""
    found = []
    for path in SHIPPED:
        if os.path.isfile(path):
            found.append(path)
        for folder, _, names in os.walk(path, followlinks=True):
            found += [os.path.join(folder, name) for name in names if not name.startswith(".")]
    return sorted(found)


setup(cmdclass={"build_py": BuildWithProject})
