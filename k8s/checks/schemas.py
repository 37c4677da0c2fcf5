"""Objects against the API schemas of several Kubernetes versions, offline and strict."""
import kubernetes_validate
from kubernetes_validate.utils import SchemaNotFoundError, ValidationError

VERSIONS = ["1.34", "1.35", "1.36", "1.37"]
# Resources of operators have no schema there; each is named here, so that a misspelt kind is no excuse.
CUSTOM = {
    "postgresql.cnpg.io/v1/Cluster",
    "postgresql.cnpg.io/v1/ScheduledBackup",
    "monitoring.coreos.com/v1/PrometheusRule",
    "monitoring.coreos.com/v1/PodMonitor",
    "monitoring.coreos.com/v1/ServiceMonitor",
    "keda.sh/v1alpha1/ScaledObject",
    "keda.sh/v1alpha1/TriggerAuthentication",
    "argoproj.io/v1alpha1/Application",
    "helm.toolkit.fluxcd.io/v2/HelmRelease",
    "source.toolkit.fluxcd.io/v1/GitRepository",
    "kind.x-k8s.io/v1alpha4/Cluster",
    "kustomize.config.k8s.io/v1beta1/Kustomization",
}


def faults(items):
    """Sentences about everything that a version would not take; items: iterable of (place, object)."""
    found = []
    for place, item in items:
        kind = f"{item.get('apiVersion')}/{item.get('kind')}"
        if kind in CUSTOM:
            continue
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(item, version, strict=True)
            except (ValidationError, SchemaNotFoundError) as error:
                text = " ".join(str(getattr(error, "message", error)).split())[:300]
                found.append(f"{place} ({kind}) in {version}: {text}")
    return found
