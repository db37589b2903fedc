"""Ports at which the servers of well-known images listen, by the image's name without registry and tag.

Docker lets peers call every port of a container; a Service answers at those it lists. From each project's own
documentation of its image. A project's images that only differ in what they hold are listed by their last names.
"""

from __future__ import annotations

from collections.abc import Mapping

PORTS: Mapping[str, tuple[int, ...]] = {
    "adminer": (8080,),
    "alertmanager": (9093, 9094),
    "caddy": (80, 443, 2019),
    "cassandra": (7000, 9042),
    "chroma": (8000,),
    "clickhouse": (8123, 9000, 9009),
    "clickhouse-server": (8123, 9000, 9009),
    "cockroach": (8080, 26257),
    "consul": (8300, 8301, 8500, 8600),
    "couchdb": (4369, 5984, 9100),
    "cp-kafka": (9092,),
    "cp-schema-registry": (8081,),
    "cp-zookeeper": (2181, 2888, 3888),
    "elasticsearch": (9200, 9300),
    "etcd": (2379, 2380),
    "flink": (6123, 8081),
    "ghost": (2368,),
    "gitea": (22, 3000),
    "grafana": (3000,),
    "haproxy": (80, 443),
    "httpd": (80,),
    "influxdb": (8086,),
    "jaeger": (4317, 4318, 16686),
    "all-in-one": (4317, 4318, 9411, 14250, 14268, 16686),
    "jenkins": (8080, 50000),
    "kafka": (9092, 9093),
    "keycloak": (8080, 8443, 9000),
    "kibana": (5601,),
    "localstack": (4566,),
    "loki": (3100, 9095),
    "logstash": (5044, 9600),
    "mailhog": (1025, 8025),
    "mailpit": (1025, 8025),
    "mariadb": (3306,),
    "memcached": (11211,),
    "metabase": (3000,),
    "milvus": (9091, 19530),
    "minio": (9000, 9001),
    "mongo": (27017,),
    "mongo-express": (8081,),
    "mysql": (3306, 33060),
    "n8n": (5678,),
    "nats": (4222, 6222, 8222),
    "neo4j": (7473, 7474, 7687),
    "nextcloud": (80, 9000),
    "nginx": (80, 443),
    "node-exporter": (9100,),
    "ollama": (11434,),
    "opensearch": (9200, 9300, 9600),
    "opentelemetry-collector": (4317, 4318, 8888, 13133),
    "opentelemetry-collector-contrib": (4317, 4318, 8888, 13133),
    "percona": (3306,),
    "pgadmin4": (80, 443),
    "pgbouncer": (5432, 6432),
    "pgvector": (5432,),
    "phpmyadmin": (80,),
    "postgis": (5432,),
    "postgres": (5432,),
    "postgrest": (3000, 3001),
    "prometheus": (9090,),
    "pulsar": (6650, 8080),
    "pushgateway": (9091,),
    "qdrant": (6333, 6334),
    "questdb": (8812, 9000, 9009),
    "rabbitmq": (4369, 5671, 5672, 15671, 15672, 15692, 25672),
    "redis": (6379,),
    "redis-stack": (6379, 8001),
    "redis-stack-server": (6379,),
    "redpanda": (8081, 8082, 9092, 9644),
    "registry": (5000,),
    "rethinkdb": (8080, 28015, 29015),
    "scylla": (9042, 10000),
    "solr": (8983,),
    "sonarqube": (9000,),
    "standalone-chrome": (4444, 7900),
    "standalone-firefox": (4444, 7900),
    "surrealdb": (8000,),
    "tempo": (3200, 4317, 4318),
    "timescaledb": (5432,),
    "tomcat": (8080,),
    "traefik": (80, 443, 8080),
    "typesense": (8108,),
    "valkey": (6379,),
    "vault": (8200, 8201),
    "victoria-metrics": (8428,),
    "weaviate": (8080, 50051),
    "wordpress": (80, 9000),
    "zipkin": (9411,),
    "zookeeper": (2181, 2888, 3888, 8080),
}


def list_known_ports(image: str) -> tuple[int, ...]:
    """List the ports that a well-known image listens at.

    Args:
        image: As the file names it; a variable may stand for its tag.

    Returns:
        None of them where the image is not known.
    """
    name = image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    return PORTS.get(name, ())
