"""What a portal in the cluster does: the example of the first Tycho's page, and then it removes what it started."""

from tycho.client import TychoClientFactory

client_factory = TychoClientFactory()
client = client_factory.get_client()
request = {
    "name": "test",
    "env": {"LOCAL_STORE": "/data", "HOST_PATH": "8888"},
    "system": {
        "version": "3",
        "services": {
            "jupyter-datascience": {
                "image": "jupyter/datascience-notebook",
                "entrypoint": "start.sh jupyter lab --LabApp.token=",
                "ports": ["$HOST_PORT:8888"],
                "volumes": ["$LOCAL_STORE:/mydata", "./:/mydata1", "./home:/mydata2"],
                "deploy": {
                    "resources": {
                        "limits": {"cpus": "0.01", "memory": "50M"},
                        "reservations": {"cpus": "0.01", "memory": "20M"},
                    }
                },
            }
        },
    },
    "services": {"jupyter-datascience": {"port": "8888"}},
}
response = client.start(request)
assert response.status == "success", response.message
(row,) = client.status({"name": response.name}).services
print(client.url, row.name, row.identifier == response.identifier, row.username)  # noqa: T201
assert client.delete({"name": response.identifier}).status == "success"
assert client.status().services == []
