"""Connections to Microsoft's bot services: certificates are always verified, and a proxy is one that is named here."""

from urllib3 import PoolManager, ProxyManager


def open_pool(*, ca_bundle: str = "", proxy: str = "") -> PoolManager:
    """Make the pool for keys and messages, which keeps connections alive.

    `ca_bundle`: a file of certificates to trust in place of the public ones. `proxy`: an address, or none.
    urllib3 reads no HTTPS_PROXY, REQUESTS_CA_BUNDLE or .netrc; each call of ours forbids redirects and retries.
    """
    trusted = ca_bundle or None
    if proxy:
        return ProxyManager(proxy, num_pools=4, maxsize=10, cert_reqs="CERT_REQUIRED", ca_certs=trusted)
    return PoolManager(num_pools=4, maxsize=10, cert_reqs="CERT_REQUIRED", ca_certs=trusted)
