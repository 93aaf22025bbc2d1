#!/bin/sh
# Runs a command as if on a machine of its own: called by `unshare` with new
# network, mount and process namespaces, it hides the directories and devices
# of a cluster that may be running outside, so that neither sees the other.
set -eu

# A private sysfs shows this namespace's network devices; the control groups are kept.
mount -t tmpfs tmpfs /run
mkdir /run/groups /run/upper /run/work
mount --move /sys/fs/cgroup /run/groups
mount -t sysfs sysfs /sys
mount --move /run/groups /sys/fs/cgroup
rmdir /run/groups

# What components write to fixed paths goes to a layer of our own.
mount -t overlay -o lowerdir=/var,upperdir=/run/upper,workdir=/run/work overlay /var
rm -rf /var/lib/cni /var/lib/kubelet /var/log/containers

ip link set lo up

# No exec: this shell is the namespace's init and reaps what is orphaned.
GATEWAYCANARY_CLUSTER_STATE=/run/cluster DEVCLUSTER_LIFECYCLE=1 "$@"
exit $?
