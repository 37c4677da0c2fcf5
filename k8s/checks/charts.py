"""Everything that tests/charts checks with helm and Python. `--write` renews what is generated."""
import os
import subprocess
import sys
import tempfile
import time

import yaml

import edges
import unit
import values_table
from helm import CHART, KUBE, PROFILES, RENDERED, ROOT, objects, run, template, values_file
from schemas import VERSIONS, faults


def lint():
    found = []
    for profile in [None, *PROFILES]:
        values = ["--values", values_file(profile)] if profile else []
        code, out, err = run("lint", "--strict", "--kube-version", KUBE, str(CHART), *values)
        if code:
            found.append(f"{profile or 'defaults'}: {out}{err}")
    return f"helm lint --strict, {len(PROFILES) + 1} sets of values", found


def rendered():
    """Profile → text; the same call that the goldens are compared with."""
    texts = {}
    for profile in PROFILES:
        text, error = template("--values", values_file(profile))
        assert text is not None, f"{profile}: {error}"
        texts[profile] = text
    return texts


def goldens(texts, write):
    found = []
    for profile, text in texts.items():
        path = RENDERED / f"{profile}.yaml"
        if write:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            found.append(f"k8s/rendered/{profile}.yaml is not what the chart renders: look at the difference, then tests/charts --write")
    return f"{len(texts)} rendered profiles are as they were", found


def manifests():
    """Every object below k8s/ that is no golden, with its place; several documents in a file are several objects."""
    for path in sorted((ROOT / "k8s").rglob("*.yaml")):
        if path.is_relative_to(RENDERED):
            continue
        for index, item in enumerate(yaml.safe_load_all(path.read_text())):
            if isinstance(item, dict) and "kind" in item and "apiVersion" in item:
                yield f"{path.relative_to(ROOT)}#{index}", item


def schemas(texts):
    items = [(f"{profile}: {name}", item) for profile, text in texts.items() for name, item in objects(text).items()]
    items += manifests()
    return f"{len(items)} objects against Kubernetes {', '.join(VERSIONS)}, strict", faults(items)


def cases():
    count, found = unit.faults()
    return f"{count} cases of the chart", found


def table(write):
    same = values_table.readme(write)
    return "the table of values", [] if same else ["charts/upswell/README.md has another table: tests/charts --write"]


def callers():
    return "callers of the network policies against the code", edges.differences()


def settings(texts):
    """The binary itself reads every settings file that the chart makes."""
    binary = os.environ.get("UPSWELL_BINARY")
    if not binary:
        return "settings files are not read by the binary: UPSWELL_BINARY names none, skipped", []
    found, count = [], 0
    for profile, text in texts.items():
        for name, item in objects(text).items():
            if item["kind"] != "ConfigMap":
                continue
            count += 1
            with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
                file.write(item["data"]["upswell.toml"])
                file.flush()
                done = subprocess.run([binary, "check-config", "--config", file.name], capture_output=True, text=True)
            if done.returncode:
                found.append(f"{profile}: {name}: {done.stderr.strip()}")
    return f"{count} settings files by the binary", found


def main():
    write = "--write" in sys.argv
    began = time.monotonic()
    texts = rendered()
    steps = [
        lint,
        cases,
        lambda: goldens(texts, write),
        lambda: schemas(texts),
        lambda: settings(texts),
        lambda: table(write),
        callers,
    ]
    failed = 0
    for step in steps:
        what, found = step()
        failed += len(found)
        print(f"{'FAILED' if found else 'ok':6}  {what} ({time.monotonic() - began:.0f} s)", flush=True)
        for fault in found:
            print(f"        {fault}")
    sys.exit(1 if failed else 0)


main()
