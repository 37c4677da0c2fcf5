"""Every query that something around the services asks their databases: `service<TAB>SQL` a line."""
import pathlib
import sys

import yaml

K8S = pathlib.Path(__file__).resolve().parents[1]
SERVICES = ["ingestion", "scoring", "offers", "renewals", "metrics"]
sys.path.insert(0, str(K8S / "dashboards"))
import generate  # noqa: E402


def all_queries():
    yield from generate.queries()
    for item in yaml.safe_load_all((K8S / "postgres" / "queries.yaml").read_text()):
        for query in yaml.safe_load(item["data"]["queries"]).values():
            everywhere = query["target_databases"] == ["*"]
            for service in SERVICES if everywhere else query["target_databases"]:
                yield service, query["query"]
    for item in yaml.safe_load_all((K8S / "keda" / "ingestion.yaml").read_text()):
        for trigger in item["spec"].get("triggers", []):
            yield "ingestion", trigger["metadata"]["query"]


for service, sql in all_queries():
    print(f"{service}\t{' '.join(sql.split())}")
