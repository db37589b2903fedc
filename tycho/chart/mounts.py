"""What pods mount: the views of volumes that the templates are written against."""

from __future__ import annotations

from msgspec import Struct

IMAGE_VOLUMES_SINCE = "1.35"  # the Kubernetes that mounts images as volumes
DATA_FOLDER = "data"
"""The folder of a claim that a container sees: beside it is what a container must not see, as `lost+found`."""


class KeyToPath(Struct, frozen=True):
    """One file of a mounted ConfigMap or Secret."""

    key: str
    path: str
    mode: int


class PodVolume(Struct, frozen=True):
    """One entry of a pod's `volumes`.

    Args:
        name: Its name in the pod.
        kind: claim, configMap, secret, secretFiles, projected (of a ConfigMap and of secret files), emptyDir, nfs,
            image, ownImage (of the service that it names) or hostPath.
        source: The compose name that values know it by.
        slug: The same as part of an object's name.
        items: The files, where only some are mounted.
        secret_items: Those of them that are secret.
        memory: An emptyDir in memory.
        size: Its limit, a quantity or a size that reads variables; "" for none.
        mode: Of all files of a ConfigMap that is mounted as it is, 0 where each item has its own.
        server: Of an nfs volume.
        path: Of an nfs, image or hostPath volume.
    """

    name: str
    kind: str
    source: str = ""
    slug: str = ""
    items: tuple[KeyToPath, ...] = ()
    secret_items: tuple[KeyToPath, ...] = ()
    memory: bool = False
    size: str = ""
    server: str = ""
    path: str = ""
    mode: int = 0


class VolumeMount(Struct, frozen=True):
    """One entry of a container's `volumeMounts`.

    Args:
        volume: The volume's name in the pod.
        path: Where the container sees it.
        sub_path: What of it; below the folder of a claim that containers see.
        read_only: Whether it cannot be written to.
        propagation: Kubernetes' mountPropagation.
        claim: The claim that it is, as the values know it, or "".
        single: Whether it is a file.
    """

    volume: str
    path: str
    sub_path: str = ""
    read_only: bool = False
    propagation: str = ""
    claim: str = ""
    single: bool = False


class VolumeStep(Struct, frozen=True):
    """What is done to a volume before a container starts.

    Args:
        verb: content (give it what the image has at a path, as long as it is empty), owner (that folder's owner and
            mode alone), seed (files of the project, as long as the program leaves them alone), copy (the same at each
            start), folder or file (make one, for what is mounted there).
        path: Of the image; of the folder or file.
        volume: The volume that is filled, by its name in the pod.
        claim: The claim that it is, as the values know it, or "".
        base: The folder of a volume that is no claim.
        source: The volume that is copied, by its name in the pod.
    """

    verb: str
    path: str = ""
    volume: str = ""
    claim: str = ""
    base: str = ""
    source: str = ""


class ServiceMount(Struct, frozen=True):
    """One mount of a service.

    Args:
        mounted: The entry of the container.
        volume: The volume behind it.
        steps: What is done before; their volumes are named when the pod is known.
        source: What those copy: a ConfigMap, files of the release, or an image.
    """

    mounted: VolumeMount
    volume: PodVolume
    steps: tuple[VolumeStep, ...] = ()
    source: PodVolume | None = None
    image: PodVolume | None = None
