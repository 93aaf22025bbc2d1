DEVCLUSTER := PYTHONPATH=$(CURDIR)/infra python3 -m devcluster

# CLUSTER: auto (default), source, kind or existing; see docs/how-to/cluster.md
.PHONY: cluster-up cluster-down cluster-status cluster-env cluster-build
cluster-up: ## start a real Kubernetes cluster, or repair the one that is up (CLUSTER=auto|source|kind|existing)
	@CLUSTER=$(CLUSTER) $(DEVCLUSTER) up

cluster-down: ## take the cluster down; leaves nothing behind but the build cache
	@$(DEVCLUSTER) down

cluster-status: ## show what runs, since when, and where its logs are
	@$(DEVCLUSTER) status

cluster-env: ## print the shell variables for the cluster: eval "$$(make -s cluster-env)"
	@$(DEVCLUSTER) env

cluster-build: ## build everything the cluster is made of, without starting it
	@$(DEVCLUSTER) build
