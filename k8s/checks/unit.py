"""The cases of charts/upswell/tests/unit.yaml."""
import pathlib
import tempfile

import yaml

from helm import CHART, objects, template, values_file

ABSENT = "absent"


def look(item, path):
    """What stands at a dotted path; keys may hold dots themselves."""
    parts = path.split(".")
    while parts:
        if isinstance(item, list):
            index = int(parts.pop(0))
            if index >= len(item):
                return ABSENT
            item = item[index]
            continue
        for length in range(1, len(parts) + 1):
            key = ".".join(parts[:length])
            if isinstance(item, dict) and key in item:
                item, parts = item[key], parts[length:]
                break
        else:
            return ABSENT
    return item


def render(case, folder):
    arguments = []
    if "profile" in case:
        arguments += ["--values", values_file(case["profile"])]
    if "values" in case:
        path = pathlib.Path(folder) / "values.yaml"
        path.write_text(yaml.safe_dump(case["values"]))
        arguments += ["--values", str(path)]
    return template(*arguments)


def of_objects(case, found):
    for name, wanted in case.get("objects", {}).items():
        if wanted == ABSENT:
            if name in found:
                yield f"{name} is there"
        elif name not in found:
            yield f"{name} is missing"
        else:
            for path, value in wanted.items():
                there = look(found[name], path)
                if there != value:
                    yield f"{name}: {path} is {there!r}, not {value!r}"


def of_settings(case, found):
    for service, lines in case.get("settings", {}).items():
        there = found[f"ConfigMap/upswell-{service}"]["data"]["upswell.toml"].splitlines()
        for line in lines:
            if line not in there:
                yield f"the settings of {service} lack `{line}`: {there}"


def of_changes(case, found):
    if "changes" in case:
        plain, _ = template()
        before = objects(plain)
        changed = sorted(name for name in {*before, *found} if before.get(name) != found.get(name))
        if changed != sorted(case["changes"]):
            yield f"changed are {changed}"


def faults():
    """Number of cases, and a sentence for each that does not hold."""
    cases = yaml.safe_load((CHART / "tests" / "unit.yaml").read_text())
    found = []
    for case in cases:
        with tempfile.TemporaryDirectory() as folder:
            text, error = render(case, folder)
        if "fails" in case:
            if text is not None:
                found.append(f"{case['name']}: it was rendered")
            elif " ".join(case["fails"].split()) not in " ".join(error.split()):
                found.append(f"{case['name']}: refused with {error.strip()}")
            continue
        if text is None:
            found.append(f"{case['name']}: {error.strip()}")
            continue
        items = objects(text)
        for check in (of_objects, of_settings, of_changes):
            found.extend(f"{case['name']}: {fault}" for fault in check(case, items))
    return len(cases), found
