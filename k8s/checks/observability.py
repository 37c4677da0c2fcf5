"""Dashboards and the rules' object are what their sources make of them. `--write` renews them."""
import pathlib
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
K8S = ROOT / "k8s"
sys.path.insert(0, str(K8S / "dashboards"))
import generate  # noqa: E402


def rules_object():
    """The rules as Prometheus' operator takes them."""
    rules = (K8S / "alerts" / "upswell.rules.yaml").read_text()
    groups = rules[rules.index("groups:"):].replace("\n", "\n  ").rstrip()
    return (
        "# Made from upswell.rules.yaml by tests/charts --write.\n"
        "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: upswell\nspec:\n  "
        f"{groups}\n"
    )


def dashboards_object():
    """The dashboards as a ConfigMap that Grafana's sidecar takes."""
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "upswell-dashboards", "labels": {"grafana_dashboard": "1"}}}
    made["data"] = generate.all_dashboards()
    return "# Made from generate.py by tests/charts --write.\n" + yaml.safe_dump(made, sort_keys=False, width=10_000)


def main():
    wanted = {K8S / "dashboards" / name: text for name, text in generate.all_dashboards().items()}
    wanted[K8S / "alerts" / "prometheusrule.yaml"] = rules_object()
    wanted[K8S / "dashboards" / "configmap.yaml"] = dashboards_object()
    stale = []
    for path, text in wanted.items():
        if "--write" in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(f"{path.relative_to(ROOT)} is not what its source makes: tests/charts --write")
    count = len(list(generate.queries()))
    print(f"{'FAILED' if stale else 'ok':6}  {len(wanted)} generated files of dashboards and alerts, {count} queries of databases in them")
    for fault in stale:
        print(f"        {fault}")
    sys.exit(1 if stale else 0)


main()
