"""Engines and stores for the contract."""

from collections.abc import Iterator

import pytest

from surefill.adapters.dynamodb import SharedConnection
from surefill.ports import Store
from tests.contract.engines import ENGINES, REGION, Engine, ministack, moto_engine
from tests.contract.world import World


@pytest.fixture(scope="session", autouse=True)
def aws_environment() -> Iterator[None]:
    """Credentials that no account knows."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_PROFILE"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def ministack_engine(tmp_path_factory: pytest.TempPathFactory, aws_environment: None) -> Iterator[Engine]:
    """One local AWS for the whole session."""
    with ministack(tmp_path_factory.mktemp("ministack")) as endpoint:
        yield Engine("ministack", SharedConnection(endpoint_url=endpoint, region=REGION))


@pytest.fixture(scope="session")
def moto_connection(aws_environment: None) -> SharedConnection:
    """One client for all of moto's short lives."""
    return SharedConnection(region=REGION)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Each engine in turn."""
    if request.param == "ministack":
        yield request.getfixturevalue("ministack_engine")
    elif request.param == "moto":
        with moto_engine(request.getfixturevalue("moto_connection")) as made:
            yield made
    else:
        yield Engine("memory")


@pytest.fixture
def store(engine: Engine) -> Store:
    """An empty store on each engine in turn."""
    return engine.store()


@pytest.fixture
def world(store: Store) -> World:
    """One active bot with a budget of 1,000 USDT in the store."""
    world = World()
    world.settle_in(store)
    return world
