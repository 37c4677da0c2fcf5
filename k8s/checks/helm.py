"""Rendering the chart."""
import os
import pathlib
import subprocess

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "upswell"
RENDERED = ROOT / "k8s" / "rendered"
PROFILES = sorted(path.name.removesuffix("-values.yaml") for path in (CHART / "ci").glob("*-values.yaml"))
HELM = os.environ.get("HELM", "helm")
KUBE = "1.34.0"


def run(*arguments):
    """Exit code, output and errors of helm."""
    done = subprocess.run([HELM, *arguments], cwd=ROOT, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def values_file(profile):
    return str(CHART / "ci" / f"{profile}-values.yaml")


def template(*arguments):
    """The chart as text, or the sentence with which it was refused."""
    code, out, err = run("template", "upswell", str(CHART), "--namespace", "upswell", "--kube-version", KUBE, *arguments)
    return (out, None) if code == 0 else (None, err)


def objects(text):
    """Rendered objects by `Kind/name`."""
    found = {}
    for item in yaml.safe_load_all(text):
        if item:
            name = f"{item['kind']}/{item['metadata']['name']}"
            assert name not in found, f"{name} is rendered twice"
            found[name] = item
    return found
