"""Everything that speaks to a Kubernetes API server: one client, one kubeconfig loader, streams and watches.

    kubeconfig -> client -> feed, log_stream, websocket -> remote_command, port_forward
    objects, rollout, readiness, endpoint_slices, causes: read what the API server returned, and ask nothing

The registry of kinds is `tycho.kinds`: charts read it, too. Nothing here knows of Helm, releases or compose files.
"""
