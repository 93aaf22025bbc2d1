"""Images that are brought into the running cluster, whatever kind it is."""

from pathlib import Path

from devcluster import hosts, kind
from devcluster.clusters import required
from devcluster.errors import ClusterError
from devcluster.layout import Layout


def load(layout: Layout, archive: Path) -> None:
    """Bring an archive of images into the cluster that is up; once is enough."""
    cluster = required(layout)
    if cluster.kind == "source":
        import_archive(layout, archive)
    elif cluster.kind == "kind":
        kind.load(archive)
    else:
        raise ClusterError(f"push {archive} to a registry that your cluster reads")


def import_archive(layout: Layout, archive: Path) -> None:
    """Import an archive into the containerd of a cluster from source, once."""
    mark = layout.state / "containerd" / f"imported-{archive.stem}"
    if mark.exists():
        return
    client = ("ctr", "--address", str(layout.containerd_socket), "--namespace", "k8s.io")
    hosts.run(*client, "images", "import", str(archive))
    mark.touch()
