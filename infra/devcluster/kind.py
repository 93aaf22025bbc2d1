"""placeholder"""
from devcluster.clusters import Cluster
from devcluster.layout import Layout
from devcluster.progress import Progress

def up(layout: Layout, progress: Progress) -> tuple[Cluster, bool]:
    raise NotImplementedError

def down(layout: Layout) -> None:
    raise NotImplementedError
