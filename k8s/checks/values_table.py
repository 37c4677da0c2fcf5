"""The table of values in the chart's README, made from values.yaml: every key that has a `# --` line, and no other."""
import json
import re

import yaml

from helm import CHART

BEGIN, END = "<!-- values: made by tests/charts --write -->", "<!-- end of values -->"
LINE = re.compile(r"^( *)([A-Za-z][A-Za-z0-9]*):(.*)$")


def documented():
    """Path → description, in the order of the file."""
    found, path, waiting = {}, [], None
    for line in (CHART / "values.yaml").read_text().splitlines():
        if line.strip().startswith("# -- "):
            waiting = line.strip().removeprefix("# -- ")
        elif match := LINE.match(line):
            depth = len(match[1]) // 2
            path = [*path[:depth], match[2]]
            if waiting:
                found[".".join(path)] = waiting
                waiting = None
    return found


def leaves(values, prefix=""):
    """Paths of everything that is no map, or an empty one, but for the services: they are defaults again."""
    for key, value in values.items():
        path = f"{prefix}{key}"
        if path == "services":
            continue
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{path}.")
        else:
            yield path


def at(values, path):
    for key in path.split("."):
        values = values[key]
    return values


def table():
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    said = documented()
    silent = [path for path in leaves(values) if not any(path == p or path.startswith(f"{p}.") for p in said)]
    assert not silent, f"values without a `# --` line: {silent}"
    rows = ["| value | default | what for |", "|---|---|---|"]
    for path, text in said.items():
        default = json.dumps(at(values, path))
        text = text.replace("|", "\\|")
        rows.append(f"| `{path}` | `{default}` | {text} |")
    for name, service in values["services"].items():
        rows.append(f"| `services.{name}` | `{json.dumps(service)}` | overrides `defaults` for {name} |")
    return "\n".join(rows)


def readme(write):
    """Writes the table, or tells whether the README has it."""
    path = CHART / "README.md"
    text = path.read_text()
    head, rest = text.split(BEGIN)
    _, tail = rest.split(END)
    wanted = f"{head}{BEGIN}\n{table()}\n{END}{tail}"
    if write:
        path.write_text(wanted)
    return wanted == text or write
