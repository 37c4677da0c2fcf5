"""Who calls whom by the code: the routes of each service's events, and the peers that it asks."""
import re

import yaml

from helm import CHART, ROOT

SERVICES = ["ingestion", "scoring", "offers", "renewals", "metrics"]
CALLS = re.compile(r'peers\s*\.channel\(\s*"([a-z]+)"')
ROUTE = re.compile(r"\.to\(\s*&?[^,]+,\s*&\[([^\]]*)\]")


def callers_in_code():
    """Called service → the services that call it."""
    edges = {name: set() for name in SERVICES}
    for caller in SERVICES:
        for path in (ROOT / "services" / caller / "src").rglob("*.rs"):
            text = path.read_text()
            called = set(CALLS.findall(text))
            for destinations in ROUTE.findall(text):
                called.update(re.findall(r'"([a-z]+)"', destinations))
            for name in called & set(SERVICES):
                edges[name].add(caller)
    return edges


def differences():
    """Sentences about callers that chart and code do not agree on."""
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    found = []
    for name, callers in callers_in_code().items():
        declared = set(values["services"][name].get("callers", []))
        if callers != declared:
            found.append(f"services.{name}.callers is {sorted(declared)}, the code says {sorted(callers)}")
    return found
