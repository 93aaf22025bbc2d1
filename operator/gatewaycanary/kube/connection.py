"""Where the cluster is and who we are there, by the Kubernetes client's own configuration.

Looked for in this order: the kubeconfig that was named, `KUBECONFIG`, the pod's service account,
`~/.kube/config`. Short-lived credentials are renewed when a request is about to use them, never by
a timer: the service account's token by the client's own hook (it reads the file once a minute), a
kubeconfig's (exec plugin, OIDC, token file) by loading it again once it is a minute old, or at once
after the server has said 401.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import yaml
from kubernetes.aio import config
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.client.rest import RESTClientObject

from gatewaycanary.kube.errors import SpecError

_NAMESPACE_FILE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_REFRESH_AFTER: Final = 60.0
_GARBLED: Final = (ValueError, TypeError, KeyError, AttributeError)
"""What the client's loader raises on a kubeconfig whose parts are of other types than expected."""

Refresh = Callable[[], Awaitable[None]]


class Connection:
    """Hold one cluster's address and credentials."""

    def __init__(
        self,
        configuration: Configuration,
        *,
        namespace: str = "default",
        refresh: Refresh | None = None,
    ) -> None:
        self._configuration = configuration
        self.namespace = namespace
        self._refresh = refresh
        self._refreshed = asyncio.get_running_loop().time()
        self._refreshing = asyncio.Lock()

    @property
    def server(self) -> str:
        """Return the API server's URL without a slash at its end."""
        return str(self._configuration.host).rstrip("/")

    @property
    def ca_path(self) -> str | None:
        """Return the file with the authority that signs the server's certificate."""
        return self._configuration.ssl_ca_cert

    @property
    def certificate_path(self) -> str | None:
        """Return the file with our client certificate, if we have one."""
        return self._configuration.cert_file

    @property
    def private_key_path(self) -> str | None:
        """Return the file with the key of our client certificate, if we have one."""
        return self._configuration.key_file

    @property
    def insecure(self) -> bool:
        """Return whether the server's certificate is taken unseen."""
        return not self._configuration.verify_ssl

    @property
    def tls_server_name(self) -> str | None:
        """Return the name that the server's certificate must carry, if not the address's."""
        return self._configuration.tls_server_name

    @property
    def proxy(self) -> str | None:
        """Return the proxy's URL, from the kubeconfig or the environment."""
        if self._configuration.proxy:
            return str(self._configuration.proxy)
        url = urlsplit(self.server)
        if proxy_bypass(url.hostname or ""):
            return None
        return getproxies().get(url.scheme)

    async def authorization(self) -> str | None:
        """Return the Authorization header's value for a request that goes out now."""
        if self._refresh is not None:
            await self._renew(self._refresh)
        key: str | None = await self._configuration.get_api_key_with_prefix(
            "BearerToken", "authorization"
        )
        return key.strip() if key else None

    def expire(self) -> None:
        """Have the credentials renewed before the next request: the server refused them."""
        self._refreshed = float("-inf")

    def open_session(self) -> aiohttp.ClientSession:
        """Return a new connection pool with this connection's TLS settings."""
        # NB: with `trust_env` each request would look for a proxy and a netrc in a thread.
        self._configuration.client_session_kwargs = {
            "trust_env": False,
            "cookie_jar": aiohttp.DummyCookieJar(),
        }
        return _Pools(self._configuration).open()

    async def _renew(self, refresh: Refresh) -> None:
        clock = asyncio.get_running_loop().time
        if clock() - self._refreshed < _REFRESH_AFTER:
            return
        async with self._refreshing:
            if clock() - self._refreshed >= _REFRESH_AFTER:
                await refresh()
                self._refreshed = clock()


class _Pools(RESTClientObject):
    """The client's own reading of TLS settings, without its own way to send."""

    def open(self) -> aiohttp.ClientSession:
        return self._create_pool_manager()


async def connect(*, kubeconfig: str | None = None, context: str | None = None) -> Connection:
    """Return the connection to the cluster that the arguments or the environment name.

    Raises SpecError when there is none, or when what describes it cannot be read.
    """
    named = kubeconfig or os.environ.get("KUBECONFIG")
    try:
        if not named and context is None and "KUBERNETES_SERVICE_HOST" in os.environ:
            return _in_cluster()
        return await _from_kubeconfig(named or "~/.kube/config", context)
    except (config.ConfigException, yaml.YAMLError, OSError, *_GARBLED) as error:
        raise SpecError(f"no way to the cluster: {error}") from error


def _in_cluster() -> Connection:
    configuration = Configuration()
    config.load_incluster_config(configuration)  # type: ignore[no-untyped-call]
    return Connection(configuration, namespace=_NAMESPACE_FILE.read_text("utf-8").strip())


async def _from_kubeconfig(path: str, context: str | None) -> Connection:
    if not _is_there(path):
        raise config.ConfigException(f"there is no kubeconfig {path}, and this is no pod")
    configuration = Configuration()
    loader: Any = await config.load_kube_config(  # type: ignore[no-untyped-call]
        path, context, client_configuration=configuration, persist_config=False
    )

    async def refresh() -> None:
        await loader.load_and_set(configuration)

    chosen = loader.current_context["context"]
    return Connection(
        configuration, namespace=chosen.get("namespace") or "default", refresh=refresh
    )


def _is_there(path: str) -> bool:
    return any(Path(part).expanduser().is_file() for part in path.split(os.pathsep))
