# CLUSTER: auto (default), source, kind or existing; ADDONS: none (default) or some of istio,
# gateway-api and kwok, separated by commas; see docs/how-to/cluster.md
DEVCLUSTER := PYTHONPATH=$(CURDIR)/infra CLUSTER=$(CLUSTER) ADDONS=$(ADDONS) python3 -m devcluster

.PHONY: cluster-up cluster-down cluster-status cluster-env cluster-build cluster-test
cluster-up: ## start a real Kubernetes cluster, or repair the one that is up
	@$(DEVCLUSTER) up

cluster-down: ## take the cluster down; only the build cache stays
	@$(DEVCLUSTER) down

cluster-status: ## show what runs, since when, and where its logs are
	@$(DEVCLUSTER) status

cluster-env: ## print shell variables for the cluster: eval "$$(make -s cluster-env)"
	@$(DEVCLUSTER) env

cluster-build: ## build everything the cluster is made of, without starting it
	@$(DEVCLUSTER) build

cluster-test: venv ## prove start, repair and removal of a cluster, beside one that may be up
	@$(DEVCLUSTER) build --addons istio,gateway-api
	@unshare --net --mount --pid --fork --kill-child --mount-proc sh tests/cluster/isolated.sh \
		$(PYTEST) --junitxml=$(JUNIT)/cluster.xml tests/cluster/test_lifecycle.py
