"""Traces at a real OpenTelemetry Collector with the configuration of k8s/collector.

    spans.py config FILE OTLP PROMETHEUS HEALTH    the configuration on these ports, with the spans on standard error
    spans.py verify LOG METRICS parent|link        what came is what TELEMETRY.md, the alerts and the dashboards count on

The processing stays as it is in the cluster: span metrics of everything, then tail sampling. Only the places are others,
decisions fall sooner, and nothing is left out by chance.
"""
import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Parent service → the services that hang on it, where work goes on by events.
EDGES = {("ingestion", "scoring"), ("scoring", "offers"), ("scoring", "renewals"), ("offers", "metrics")}
PERSONAL = ["@acct-01.example", "+7701", "Айгуль"]


def config(path, otlp, prometheus, health):
    objects = yaml.safe_load_all((ROOT / "k8s/collector/collector.yaml").read_text())
    made = yaml.safe_load(next(item for item in objects if item["kind"] == "ConfigMap")["data"]["collector.yaml"])
    made["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"] = f"127.0.0.1:{otlp}"
    made["exporters"]["prometheus"]["endpoint"] = f"127.0.0.1:{prometheus}"
    made["extensions"]["health_check"]["endpoint"] = f"127.0.0.1:{health}"
    del made["exporters"]["otlp"]
    made["exporters"]["debug"] = {"verbosity": "detailed"}
    made["service"]["pipelines"]["traces/out"]["exporters"] = ["debug"]
    sampling = made["processors"]["tail_sampling"]
    sampling["decision_wait"] = "2s"
    for policy in sampling["policies"]:
        if policy["type"] == "probabilistic":
            policy["probabilistic"]["sampling_percentage"] = 100
    made["connectors"]["spanmetrics"]["metrics_flush_interval"] = "2s"
    made["service"]["telemetry"] = {"metrics": {"level": "none"}}
    pathlib.Path(path).write_text(yaml.safe_dump(made, allow_unicode=True))


def spans(text):
    """Spans as the debug exporter tells them: service, name, trace, own id, parent, links, attributes."""
    service, span, part = "", None, ""
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("Resource attributes:"):
            part = "resource"
        elif found := re.fullmatch(r"-> service\.name: Str\((.*)\)", line):
            if part == "resource":
                service = found[1]
        elif re.fullmatch(r"Span #\d+", line):
            if span:
                yield span
            span, part = {"service": service, "links": [], "attributes": set()}, "span"
        elif re.fullmatch(r"SpanLink #\d+", line):
            part = "link"
        elif line == "Attributes:":
            part = "attributes" if part != "link" else part
        elif line.startswith("ResourceSpans #"):
            if span:
                yield span
            span, part = None, ""
        elif span and part == "span" and (found := re.fullmatch(r"(Trace ID|Parent ID|ID|Name)\s*: ?(.*)", line)):
            span[found[1]] = found[2]
        elif span and part == "link" and (found := re.fullmatch(r"-> ID: (.*)", line)):
            span["links"].append(found[1])
        elif span and part == "attributes" and (found := re.match(r"-> ([^:]+):", line)):
            span["attributes"].add(found[1])
    if span:
        yield span


def documented():
    """Attributes that TELEMETRY.md knows."""
    text = (ROOT / "services/runtime/TELEMETRY.md").read_text()
    part = text.split("\n## Spans")[1].split("\n## ")[0]
    return set(re.findall(r"`([a-z_.]+)`", part))


def series():
    """Series of the collector that alerts and dashboards ask for."""
    asked = (ROOT / "k8s/alerts/upswell.rules.yaml").read_text() + (ROOT / "k8s/dashboards/generate.py").read_text()
    return set(re.findall(r"\bupswell_(?:calls|duration)[a-z_]*", asked))


def verify(log, metrics, mode):
    text = pathlib.Path(log).read_text()
    all_spans = list(spans(text))
    by_id = {span["ID"]: span for span in all_spans}
    faults = []
    crossed, linked = set(), set()
    for span in all_spans:
        before = by_id.get(span.get("Parent ID", ""))
        if before and before["service"] != span["service"]:
            crossed.add((before["service"], span["service"]))
        for link in span["links"]:
            if link in by_id:
                linked.add((by_id[link]["service"], span["service"]))
    found = crossed if mode == "parent" else linked
    faults += [f"no trace goes from {one} to {other}" for one, other in sorted(EDGES - found)]
    known = documented()
    carried = {name for span in all_spans for name in span["attributes"]}
    if len(carried) < 10:
        faults.append(f"attributes are not read any more: {sorted(carried)}")
    strange = carried - known
    faults += [f"TELEMETRY.md does not know the attribute {name}" for name in sorted(strange)]
    faults += [f"something personal left the process: {word}" for word in PERSONAL if word in text]
    shown = pathlib.Path(metrics).read_text()
    faults += [f"the collector has no series {name}" for name in sorted(series()) if f"\n{name}{{" not in shown]
    for label in ["service_name=", "span_kind=\"SPAN_KIND_SERVER\"", "rpc_method=", "rpc_response_status_code=\"OK\""]:
        if not re.search(rf"^upswell_calls_total{{[^\n]*{re.escape(label)}", shown, re.M):
            faults.append(f"upswell_calls_total has no {label}")
    services = sorted({span["service"] for span in all_spans})
    print(f"{len(all_spans)} spans of {', '.join(services)}; {mode}: {', '.join(f'{a} → {b}' for a, b in sorted(found))}")
    for fault in faults:
        print(f"FAILED: {fault}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    {"config": config, "verify": verify}[sys.argv[1]](*sys.argv[2:])
