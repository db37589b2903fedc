"""A verb, written once for both clients: called on the one it returns what came of it, on the other it is awaited."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

from tycho.client.answers import TychoAnswer

if TYPE_CHECKING:
    from tycho.client.asynchronous import AsyncTychoClient
    from tycho.client.requests import Steps
    from tycho.client.synchronous import TychoClient

P = ParamSpec("P")
T = TypeVar("T")
A_co = TypeVar("A_co", covariant=True)
R_co = TypeVar("R_co", covariant=True)


class verb(Generic[P, T]):  # noqa: N801 - a decorator
    """Makes a generator of steps a method of both clients.

    Args:
        steps: What is sent, and what is made of the answers.
    """

    def __init__(self, steps: Callable[Concatenate[Any, P], Steps[T]]) -> None:
        self._steps = steps
        self.__doc__ = steps.__doc__

    @overload
    def __get__(self, client: None, owner: type) -> Callable[..., Any]: ...
    @overload
    def __get__(self, client: TychoClient, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: AsyncTychoClient, owner: type) -> Callable[P, Awaitable[T]]: ...
    def __get__(self, client: Any, owner: type) -> Any:
        """Bind it to a client."""
        if client is None:
            return self._steps

        @wraps(self._steps)
        def call(*args: P.args, **kwargs: P.kwargs) -> Any:
            return client.run(self._steps(client, *args, **kwargs))

        return call


class Either(Protocol[P, A_co, R_co]):
    """A verb in both styles: a request as the first Tycho had it gives an answer, an id gives the thing itself."""

    @overload
    def __call__(self, request: Mapping[str, Any]) -> A_co: ...
    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...


class either(Generic[P, T]):  # noqa: N801 - a decorator
    """Makes a generator of steps a method of both clients, which takes the seed's request in the place of an id, too.

    Args:
        steps: What is sent for an id. What is sent for a request is `POST /system/NAME`.
    """

    def __init__(self, steps: Callable[Concatenate[Any, P], Steps[T]]) -> None:
        self._steps = steps
        self.__doc__ = steps.__doc__

    @overload
    def __get__(self, client: None, owner: type) -> Callable[..., Any]: ...
    @overload
    def __get__(self, client: TychoClient, owner: type) -> Either[P, TychoAnswer, T]: ...
    @overload
    def __get__(self, client: AsyncTychoClient, owner: type) -> Either[P, Awaitable[TychoAnswer], Awaitable[T]]: ...
    def __get__(self, client: Any, owner: type) -> Any:
        """Bind it to a client."""
        if client is None:
            return self._steps

        @wraps(self._steps)
        def call(*args: Any, **kwargs: Any) -> Any:
            request = kwargs.get("request", args[0] if args else None)
            if isinstance(request, Mapping):
                return client.run(client.post_as(TychoAnswer, self._steps.__name__, request))
            return client.run(self._steps(client, *args, **kwargs))

        return call
